/** Every variation of a spec gives a trainer that type-checks, and the same bytes each time. */
import { describe, expect, it } from "vitest";
import { type Compiled, check, compile } from "../../compiler/compile";
import { typeErrors } from "../../compiler/emit/check";
import { specFromText } from "../../compiler/spec/load";

const base = {
  image: { size: 64 },
  encoder: { dim: 48, depth: 3, heads: 3, patch: 8 },
  predictor: { dim: 24, depth: 3, heads: 3 },
  masking: { minKeep: 4, targets: { scale: [0.2, 0.3] } },
  optimization: { epochs: 2, globalBatch: 8, learningRate: { warmupEpochs: 1 } },
  data: { source: "shapes", trainImages: 64, validationImages: 32, testImages: 32 },
};

const variations: readonly (readonly [name: string, change: object, inStep: RegExp])[] = [
  ["as it is", {}, /o\.smoothL1\(/],
  ["one program", { masking: { minKeep: 4, targets: { scale: [0.2, 0.2], aspect: [1, 1] } } }, /export const T = /],
  ["mse", { loss: "mse" }, /o\.mse\(/],
  ["pixels", { targets: { space: "pixels" } }, /function pixelTargets/],
  ["pixels as they are", { targets: { space: "pixels", normalize: false } }, /Linear<P, V>/],
  ["targets as they are", { targets: { normalize: false } }, /splitBlocks/],
  ["clipping", { optimization: { ...base.optimization, clipNorm: 1.5 } }, /o\.clipFactor\(norm, \{ max: 1\.5 \}\)/],
  ["accumulation", { optimization: { ...base.optimization, accumulation: 4 } }, /by: 1 \/ 4/],
  [
    "accumulation and clipping",
    { optimization: { ...base.optimization, accumulation: 2, clipNorm: 3 } },
    /const gradients = mapAll\(means/,
  ],
  ["drop path", { encoder: { ...base.encoder, dropPath: 0.1 } }, /o\.scaleRows\(mlp, dropPathMlp\)/],
  ["two contexts", { masking: { ...base.masking, context: { count: 2 } } }, /export const BC = 16;/],
  ["one target", { masking: { ...base.masking, targets: { count: 1, scale: [0.2, 0.3] } } }, /blocks: 1/],
  ["one block each", { encoder: { ...base.encoder, depth: 1 }, predictor: { dim: 24, depth: 1, heads: 3 } }, /step/],
  ["two blocks", { encoder: { ...base.encoder, depth: 2 }, predictor: { dim: 24, depth: 2, heads: 3 } }, /step/],
  ["the unbiased sampler", { masking: { ...base.masking, sampler: "unbiased" } }, /step/],
  ["depth rescale", { init: { depthRescale: true } }, /step/],
];

function compiled(change: object): Compiled {
  const loaded = specFromText({ text: JSON.stringify({ ...base, ...change }), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));
  return compile(loaded);
}

const stepOf = ({ files }: Compiled): string => files.find(({ name }) => name === "step.ts")?.text ?? "";

describe("compile", () => {
  it.each(variations)("%s: type-checks, and is the same twice", (_name, change, inStep) => {
    const once = compiled(change);
    check("/nowhere/spec", once);
    expect(stepOf(once)).toMatch(inStep);
    expect(compiled(change).files).toEqual(once.files);
  });

  const mistakes: readonly (readonly [name: string, from: string, to: string])[] = [
    ["two weights swapped", "block.mlp.fc1.weight, block.mlp.fc1.bias", "block.mlp.fc2.weight, block.mlp.fc2.bias"],
    ["key and value's shapes", "o.matmul(attention, v,", "o.matmul(attention, merged,"],
    ["context for target", "targetTokens(o", "contextNorm(o"],
    ["gradients of the wrong layer", "dBlock: {", "dBlock: { extra: 1,"],
    ["tokens for width", "{ width: D }", "{ width: N }"],
  ];
  it.each(mistakes)("%s in generated code is a type error", (_name, from, to) => {
    const { files } = compiled({});
    const broken = files
      .filter(({ name }) => name.endsWith(".ts"))
      .map((file) => (file.name === "step.ts" ? { ...file, text: file.text.replace(from, to) } : file));
    expect(broken.find(({ name }) => name === "step.ts")?.text).not.toBe(stepOf(compiled({})));
    expect(typeErrors("/nowhere/spec", broken)).not.toEqual([]);
  });

  it("a deep network is not longer than a shallow one", () => {
    const lines = (change: object) => stepOf(compiled(change)).split("\n").length;
    const deep = { encoder: { ...base.encoder, depth: 32 }, predictor: { dim: 24, depth: 12, heads: 3 } };
    expect(lines(deep)).toBe(lines({}));
  });
});
