/** A small spec and one change of each kind that alters what is generated. */
import { type Compiled, compile } from "../../compiler/compile";
import { specFromText } from "../../compiler/spec/load";

export const base = {
  image: { size: 32 },
  encoder: { dim: 16, depth: 3, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 3, heads: 2 },
  masking: { minKeep: 1, targets: { scale: [0.2, 0.3] } },
  optimization: { epochs: 2, globalBatch: 4, learningRate: { warmupEpochs: 1 } },
  data: { source: "shapes", trainImages: 64, validationImages: 32, testImages: 32 },
};

export const variations: readonly (readonly [name: string, change: object, inStep: RegExp])[] = [
  ["as it is", {}, /o\.smoothL1\(/],
  ["one program", { masking: { minKeep: 1, targets: { scale: [0.2, 0.2], aspect: [1, 1] } } }, /export const T = /],
  ["mse", { loss: "mse" }, /o\.mse\(/],
  ["pixels", { targets: { space: "pixels" } }, /function pixelTargets/],
  ["pixels as they are", { targets: { space: "pixels", normalize: false } }, /Linear<P, V, /],
  ["targets as they are", { targets: { normalize: false } }, /splitBlocks/],
  ["clipping", { optimization: { ...base.optimization, clipNorm: 1.5 } }, /o\.clipFactor\(norm, \{ max: 1\.5 \}\)/],
  ["accumulation", { optimization: { ...base.optimization, accumulation: 4 } }, /by: 1 \/ 4/],
  [
    "accumulation and clipping",
    { optimization: { ...base.optimization, accumulation: 2, clipNorm: 3 } },
    /const gradients = mapAll\(means/,
  ],
  ["drop path", { encoder: { ...base.encoder, dropPath: 0.1 } }, /o\.scaleRows\(mlp, dropPathMlp\)/],
  ["two contexts", { masking: { ...base.masking, context: { count: 2 } } }, /export const BC = times\(2, B\);/],
  ["two sets of masks", { maskSets: 2 }, /export const BM = times\(2, B\);/],
  [
    "three sets of masks of two contexts",
    { maskSets: 3, masking: { ...base.masking, context: { count: 2 } } },
    /export const BC = times\(2, BM\);/,
  ],
  ["vicreg", { regularizer: { name: "vicreg" } }, /const dContext = o\.add\(/],
  [
    "vicreg with two sets of masks",
    { maskSets: 2, regularizer: { name: "vicreg", weight: 0.1, variance: 1, covariance: 2 } },
    /weight: 0\.1 \* 2/,
  ],
  ["one target", { masking: { ...base.masking, targets: { count: 1, scale: [0.2, 0.3] } } }, /blocks: 1/],
  [
    "one target of several lengths",
    { masking: { ...base.masking, minKeep: 1, targets: { count: 1, scale: [0.2, 0.5] } } },
    /extends Sum<C, T>/,
  ],
  ["masked at the input", { targets: { maskedAt: "input" } }, /function embedTargets/],
  [
    "masked at the input, two contexts and one length",
    {
      targets: { maskedAt: "input", normalize: false },
      masking: { minKeep: 1, targets: { scale: [0.2, 0.2], aspect: [1, 1] }, context: { count: 2 } },
    },
    /copies: 2/,
  ],
  ["block masks", { masking: { strategy: "block", targets: { scale: [0.4, 0.7] } } }, /extends Sum<C, T>/],
  ["random masks", { masking: { strategy: "random" } }, /export const T = 10;/],
  ["rasterized masks", { masking: { strategy: "rasterized" } }, /export const T = 4;/],
  ["one block each", { encoder: { ...base.encoder, depth: 1 }, predictor: { dim: 8, depth: 1, heads: 2 } }, /step/],
  ["two blocks", { encoder: { ...base.encoder, depth: 2 }, predictor: { dim: 8, depth: 2, heads: 2 } }, /step/],
  ["the unbiased sampler", { masking: { ...base.masking, sampler: "unbiased" } }, /step/],
  ["depth rescale", { init: { depthRescale: true } }, /step/],
];

/** The same of steps that run on several devices alone. */
export const onManyDevices: typeof variations = [
  ["a sharded optimizer", { hardware: { gpus: 4, shardOptimizer: true } }, /gatherAll\(next\.weights, weights/],
  [
    "a sharded optimizer, accumulation and clipping",
    {
      optimization: { ...base.optimization, accumulation: 2, clipNorm: 3 },
      hardware: { gpus: 2, shardOptimizer: true },
    },
    /shardLength\(g, 2\)/,
  ],
];

/** In place of the small spec's: another objective has no predictor, and masks of its own. */
const unlikeIJepa = { predictor: undefined, masking: undefined };

/** The other objectives, and the terms of VICReg at weights that make most of the loss of them. */
export const objectiveVariations = {
  vicreg: { regularizer: { name: "vicreg", weight: 10, variance: 25, covariance: 1 } },
  "two sets of masks": { maskSets: 2 },
  mae: { ...unlikeIJepa, objective: "mae", decoder: base.predictor },
  simmim: { ...unlikeIJepa, objective: "simmim" },
  data2vec: { ...unlikeIJepa, objective: "data2vec", targets: { blocks: 2 }, maskSets: 2 },
} as const;

/** What a spec says to have products in bfloat16. The step is the same for every engine that has it. */
export const inBfloat16 = { hardware: { engine: "xla", precision: "bf16" } };

/** The trainer of the small spec with some of its groups replaced. */
export function compiledWith(change: object): Compiled {
  const loaded = specFromText({ text: JSON.stringify({ ...base, ...change }), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));
  return compile(loaded);
}
