import { describe, expect, test } from "vitest";
import { type Compiled, compile } from "../../compiler/compile";
import { devicesOf, engineNames } from "../../compiler/spec/hardware-rules";
import type { JsonObject, JsonValue } from "../../compiler/spec/json";
import { specFromText } from "../../compiler/spec/load";
import { type SchemaNode, schemaRoot } from "../../compiler/spec/schema";
import { effectsOf } from "./effects";
import { fieldEffects } from "./field-effects";
import { data2vecFieldEffects } from "./field-effects-data2vec";
import { maeFieldEffects } from "./field-effects-mae";
import { simmimFieldEffects } from "./field-effects-simmim";
import { lines, withField } from "./spec/fixture";

const shapes: JsonObject = {
  image: { size: 64 },
  encoder: { dim: 24, depth: 2, heads: 3, patch: 8 },
  predictor: { dim: 24, depth: 2 },
  // A number of tokens, because "auto" estimates it anew for every spec.
  masking: { minKeep: 4, targets: { scale: [0.2, 0.3] }, context: { tokens: 6 } },
  data: { source: "shapes" },
  optimization: { globalBatch: 16 },
};
const random: JsonObject = { ...shapes, masking: { strategy: "random", targets: { share: 0.5 } } };
/** The same encoder in a masked autoencoder, for the fields that it alone has. */
const { predictor: _predictor, masking: _masking, ...common } = shapes;
const masked: JsonObject = { ...common, objective: "mae", decoder: { dim: 24, depth: 2, heads: 3 } };
const simmim: JsonObject = { ...common, objective: "simmim" };
const regularized: JsonObject = { ...shapes, regularizer: { name: "vicreg" } };
const averaged: JsonObject = { ...common, objective: "data2vec" };
const folder: JsonObject = { ...shapes, data: { source: "folder", train: "train", images: 4096 } };
const parquet: JsonObject = { ...shapes, data: { source: "parquet", train: "train", images: 4096 } };

/**
 * Fields whose every other value is refused so far. fp16: onnxruntime's WebGPU sums products of float16 in float16, and
 * the gradient of a weight is a sum over thousands of rows; no other device has float16 at all (docs/engines.md).
 */
const refused: { readonly [path: string]: JsonValue } = { "hardware.precision": "fp16" };

/** Paths of all fields that can take more than one value. */
function fieldsOf(holder: SchemaNode, path: string): string[] {
  return Object.entries(holder.properties ?? {}).flatMap(([key, node]) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (node.properties !== undefined) return fieldsOf(node, here);
    if (node.discriminator !== undefined) return (node.oneOf ?? []).flatMap((branch) => fieldsOf(branch, here));
    return node["x-input-only"] === true || node.const !== undefined || node.enum?.length === 1 ? [] : [here];
  });
}

/** What is generated, with another hash than the spec has. */
function compiled(document: JsonObject): Compiled {
  const loaded = specFromText({ text: JSON.stringify(document), file: "x.json" });
  if (!loaded.ok) throw new Error(lines(loaded).join("\n"));
  return compile({ spec: loaded.spec, hash: "0".repeat(64) });
}

describe("every field of the schema does what it should", () => {
  const [ofShapes, ofFolder] = [compiled(shapes), compiled(folder)];
  const [ofRandom, ofParquet] = [compiled(random), compiled(parquet)];

  test("the table has all fields", () => {
    expect([...new Set(fieldsOf(schemaRoot, ""))].sort()).toEqual(
      // The objective decides what all others mean.
      [
        ...new Set([
          "objective",
          ...[fieldEffects, maeFieldEffects, simmimFieldEffects, data2vecFieldEffects, refused].flatMap(Object.keys),
        ]),
      ].sort(),
    );
  });

  test.each(Object.entries(refused))("%s = %j is refused with every engine and device", (path, value) => {
    for (const engine of engineNames) {
      for (const device of devicesOf(engine)) {
        const document = withField({ ...shapes, hardware: { engine, device } }, path, value);
        const loaded = specFromText({ text: JSON.stringify(document), file: "x.json" });
        expect(lines(loaded), `${engine} on ${device}`).toEqual([expect.stringContaining(`E318 ${path}: `)]);
      }
    }
  });

  test.each(Object.entries(fieldEffects))("%s", (path, [to, effects]) => {
    const isOfFolder = [
      "data.train",
      "data.validation",
      "data.images",
      "data.holdOut",
      "data.labels",
      "data.maxBadShare",
      "data.exifRotation",
    ].includes(path);
    const isOfParquet = ["data.shuffleBuffer", "data.imageColumn", "data.labelColumn"].includes(path);
    const [document, before] = isOfFolder
      ? [folder, ofFolder]
      : isOfParquet
        ? [parquet, ofParquet]
        : path === "masking.targets.share"
          ? [random, ofRandom]
          : /^regularizer\.(?!name)/.test(path)
            ? [regularized, compiled(regularized)]
            : [shapes, ofShapes];
    expect(effectsOf(before, compiled(withField(document, path, to)))).toEqual(effects);
  });

  test.each(Object.entries(maeFieldEffects))("%s of a masked autoencoder", (path, [to, effects]) => {
    expect(effectsOf(compiled(masked), compiled(withField(masked, path, to)))).toEqual(effects);
  });

  test.each(Object.entries(simmimFieldEffects))("%s of SimMIM", (path, [to, effects]) => {
    expect(effectsOf(compiled(simmim), compiled(withField(simmim, path, to)))).toEqual(effects);
  });

  test.each(Object.entries(data2vecFieldEffects))("%s of data2vec", (path, [to, effects]) => {
    expect(effectsOf(compiled(averaged), compiled(withField(averaged, path, to)))).toEqual(effects);
  });
});
