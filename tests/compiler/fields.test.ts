import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile";
import { devicesOf } from "../../compiler/spec/hardware-rules";
import type { JsonObject, JsonValue } from "../../compiler/spec/json";
import { specFromText } from "../../compiler/spec/load";
import { type SchemaNode, schemaRoot } from "../../compiler/spec/schema";
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
const folder: JsonObject = { ...shapes, data: { source: "folder", train: "train", images: 4096 } };

/** Another value for every field that has one: it must be seen in what is generated. */
const others: { readonly [path: string]: JsonValue } = {
  name: "other",
  description: "Another sentence.",
  seed: 1,
  loss: "mse",
  "image.size": 72,
  "image.mean": [0.5, 0.5, 0.5],
  "image.std": [0.5, 0.5, 0.5],
  "encoder.dim": 48,
  "encoder.depth": 3,
  "encoder.heads": 2,
  "encoder.mlpRatio": 2,
  "encoder.patch": 4,
  "encoder.dropPath": 0.1,
  "predictor.dim": 48,
  "predictor.depth": 1,
  "predictor.heads": 2,
  "predictor.mlpRatio": 2,
  "masking.sampler": "unbiased",
  "masking.allowOverlap": true,
  "masking.minKeep": 3,
  "masking.targets.count": 2,
  "masking.targets.scale": [0.2, 0.25],
  "masking.targets.aspect": [1, 1.5],
  "masking.context.count": 2,
  "masking.context.scale": [0.7, 0.8],
  "masking.context.tokens": "auto",
  "targets.space": "pixels",
  "targets.normalize": false,
  "data.trainImages": 4096,
  "data.validationImages": 99,
  "data.testImages": 99,
  "data.sceneSize": 80,
  "data.difficulty": 0.75,
  "data.seed": 1,
  "data.train": "elsewhere",
  "data.validation": "held-out",
  "data.images": 8192,
  "data.labels": false,
  "augmentation.cropScale": [0.5, 1],
  "augmentation.cropAspect": [1, 1],
  "augmentation.horizontalFlip": true,
  "optimization.epochs": 100,
  "optimization.globalBatch": 32,
  "optimization.accumulation": 2,
  "optimization.learningRate.start": 0.0001,
  "optimization.learningRate.peak": 0.002,
  "optimization.learningRate.final": 0,
  "optimization.learningRate.warmupEpochs": 10,
  "optimization.weightDecay.start": 0.1,
  "optimization.weightDecay.final": 0.1,
  "optimization.momentum.start": 0.9,
  "optimization.momentum.final": 0.999,
  "optimization.scheduleScale": 1.25,
  "optimization.adamw.beta1": 0.8,
  "optimization.adamw.beta2": 0.98,
  "optimization.adamw.eps": 1e-6,
  "optimization.clipNorm": 1,
  "init.std": 0.03,
  "init.patchStd": 0.1,
  "init.positionScale": 0.5,
  "init.depthRescale": true,
  "evaluation.everyEpochs": 1,
  "evaluation.knn.neighbours": 10,
  "evaluation.knn.temperature": 0.1,
  "evaluation.trainImages": 100,
  "evaluation.testImages": 100,
  "checkpoint.everyEpochs": 2,
  "checkpoint.keepEveryEpochs": 0,
  "log.everySteps": 10,
  "hardware.engine": "tfjs",
  "hardware.device": "webgpu",
  "hardware.gpus": 2,
  "hardware.threads": 1,
  "hardware.workers": 1,
};

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

/** What is generated, apart from the hashes of the spec. */
function generated(document: JsonObject): string {
  const loaded = specFromText({ text: JSON.stringify(document), file: "x.json" });
  if (!loaded.ok) throw new Error(lines(loaded).join("\n"));
  const { files } = compile({ spec: loaded.spec, hash: "0".repeat(64) });
  const hash = /^( {2}trainingHash: )"[0-9a-f]{64}",$/m;
  return files.map(({ name, text }) => `${name}\n${text.replace(hash, "$1…")}`).join("\n");
}

describe("every field of the schema is seen in what is generated", () => {
  const bases = [shapes, folder].map((document) => ({ document, text: generated(document) }));
  test("the table has all fields", () => {
    expect([...new Set(fieldsOf(schemaRoot, ""))].sort()).toEqual(
      [...Object.keys(others), ...Object.keys(refused)].sort(),
    );
  });

  test.each(Object.entries(refused))("%s = %j is refused with every engine and device", (path, value) => {
    for (const engine of ["onnx", "tfjs"] as const) {
      for (const device of devicesOf(engine)) {
        const document = withField({ ...shapes, hardware: { engine, device } }, path, value);
        const loaded = specFromText({ text: JSON.stringify(document), file: "x.json" });
        expect(lines(loaded), `${engine} on ${device}`).toEqual([expect.stringContaining(`E318 ${path}: `)]);
      }
    }
  });

  test.each(Object.entries(others))("%s = %j", (path, value) => {
    const isOfFolder = ["data.train", "data.validation", "data.images", "data.labels"].includes(path);
    const base = bases[isOfFolder ? 1 : 0];
    if (base === undefined) throw new Error("no base");
    expect(generated(withField(base.document, path, value))).not.toBe(base.text);
  });
});
