import { expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../compiler/spec/json";
import { rules } from "../../../compiler/spec/rules";
import { complaints, valid, withField } from "./fixture";

/** Fields that are set together, and everything that is said of them. */
const mistakes: readonly (readonly [fields: { readonly [path: string]: JsonValue | undefined }, ...want: string[]])[] =
  [
    [
      { "masking.targets.scale": [0.2, 0.15] },
      "E301 masking.targets.scale: the smallest is larger than the largest; found [0.2, 0.15]; want [0.15, 0.2]",
    ],
    [
      { "masking.targets.aspect": [1.5, 0.75] },
      "E301 masking.targets.aspect: the smallest is larger than the largest; found [1.5, 0.75]; want [0.75, 1.5]",
    ],
    [
      { "masking.context.scale": [1, 0.85] },
      "E301 masking.context.scale: the smallest is larger than the largest; found [1, 0.85]; want [0.85, 1]",
    ],
    [
      { "augmentation.cropScale": [1, 0.3] },
      "E301 augmentation.cropScale: the smallest is larger than the largest; found [1, 0.3]; want [0.3, 1]",
    ],
    [
      { "augmentation.cropAspect": [2, 1] },
      "E301 augmentation.cropAspect: the smallest is larger than the largest; found [2, 1]; want [1, 2]",
    ],
    [
      { masking: { strategy: "block", targets: { scale: [0.6, 0.5] } } },
      "E301 masking.targets.scale: the smallest is larger than the largest; found [0.6, 0.5]; want [0.5, 0.6]",
    ],
    [
      { masking: { strategy: "block", targets: { scale: [0.5, 1] } } },
      "E331 masking.targets.scale: of 196 patches none is left for the context; want a smaller scale, or smaller patches",
    ],
    [
      { masking: { strategy: "random", targets: { share: 0.001 } } },
      "E331 masking.targets.share: of 196 patches none is left for the target; want a larger share, or smaller patches",
    ],
    [
      { "encoder.patch": 32, masking: { strategy: "rasterized" } },
      "E332 masking.strategy: a grid of 7×7 patches has no quadrants; found 7 patches a side; want an even number of patches a side: a patch of 28 or 56",
    ],
    [
      { targets: { space: "pixels", maskedAt: "input" } },
      'E333 targets.maskedAt: there is no target encoder to mask; found "input", with targets.space "pixels"; want "output", or targets.space "representations"',
    ],
    [
      { "encoder.patch": 15 },
      "E302 encoder.patch: patches of 15 pixels do not tile an image of 224 at least twice each way; found 224 / 15 = 14.933; want a patch of 14 or 16",
    ],
    [
      { "encoder.patch": 224 },
      "E302 encoder.patch: patches of 224 pixels do not tile an image of 224 at least twice each way; found 224 / 224 = 1; want a patch of 112",
    ],
    [
      { "encoder.patch": undefined, "image.size": 223 },
      "E302 image.size: patches of 14 pixels do not tile an image of 223 at least twice each way; found 223 / 14 = 15.929; want a patch of 1",
    ],
    [
      { "encoder.size": undefined, "encoder.dim": 192, "encoder.depth": 2, "encoder.heads": 5, "predictor.heads": 3 },
      "E303 encoder.heads: 5 heads do not divide a width of 192; found 192 / 5 = 38.4; want 4 or 6 heads, or another width",
    ],
    [
      { "predictor.heads": 5 },
      "E303 predictor.heads: 5 heads do not divide a width of 384; found 384 / 5 = 76.8; want 4 or 6 heads, or another width",
    ],
    [
      { "predictor.dim": 100 },
      "E303 predictor.dim: 3 heads do not divide a width of 100; found 100 / 3 = 33.333; want 2 or 4 heads, or another width. The predictor takes its heads from the encoder unless it says otherwise.",
    ],
    [
      { "encoder.depth": 6 },
      "E304 encoder.depth: `size` already decides depth; found `size` and depth; want either `size`, or `dim`, `depth` and `heads`",
    ],
    [
      { "encoder.size": undefined, "encoder.depth": 6, "encoder.mlpRatio": 2 },
      "E305 encoder: without a `size` the encoder also needs `dim` and `heads`; found only depth, mlpRatio; want either `size`, or `dim`, `depth` and `heads`",
    ],
    [
      { "optimization.globalBatch": 100, "optimization.accumulation": 8 },
      "E306 optimization.globalBatch: 100 images do not divide by gpus × accumulation; found 100 / (1 × 8) = 12.5; want a global batch of 96 or 104",
    ],
    [
      { "optimization.globalBatch": 100, "optimization.accumulation": 2, "hardware.gpus": 8 },
      "E306 optimization.globalBatch: 100 images do not divide by gpus × accumulation; found 100 / (8 × 2) = 6.25; want a global batch of 96 or 112",
    ],
    [
      { "hardware.gpus": 8, "hardware.device": "webgpu" },
      "E321 hardware.gpus: the engine onnx on webgpu does not share a batch over devices; found 8 devices; want 1. These do: onnx on cpu, xla on cpu, xla on gpu.",
    ],
    [{ "hardware.gpus": 8, "hardware.shardOptimizer": true }],
    [
      { "hardware.gpus": 2, "hardware.engine": "xla", "hardware.shardOptimizer": true },
      "E327 hardware.shardOptimizer: the engine xla on cpu does not shard the optimizer over devices; found true; want false, where every device keeps all moments. These do: onnx on cpu.",
    ],
    [{ "hardware.engine": "tfjs", "hardware.shardOptimizer": true }],
    [
      { "hardware.gpus": 2, "hardware.engine": "tfjs" },
      "E321 hardware.gpus: the engine tfjs on cpu does not share a batch over devices; found 2 devices; want 1. These do: onnx on cpu, xla on cpu, xla on gpu.",
    ],
    [
      { "optimization.globalBatch": 3, "optimization.accumulation": 8 },
      "E306 optimization.globalBatch: 3 images do not divide by gpus × accumulation; found 3 / (1 × 8) = 0.375; want a global batch of 8",
    ],
    [
      { "data.trainImages": 2047, "optimization.globalBatch": 2048 },
      "E307 optimization.globalBatch: not one batch fits into an epoch; found 2048 images per batch, 2047 images; want a global batch of at most 2047",
    ],
    [
      { "regularizer.name": "vicreg", "optimization.globalBatch": 8, "optimization.accumulation": 8 },
      "E336 optimization.globalBatch: leaves too few images for the regularizer, whose statistics are those of one micro-batch on one device; found 1 image in each; want 2 or more for each device and micro-batch",
    ],
    [{ "regularizer.name": "vicreg", "optimization.globalBatch": 16, "optimization.accumulation": 8 }],
    [
      { "optimization.epochs": 40, "optimization.learningRate.warmupEpochs": 40 },
      "E308 optimization.learningRate.warmupEpochs: the warm-up does not end before training does; found 40 epochs of warm-up; want less than epochs × scheduleScale = 40",
    ],
    [{ "optimization.epochs": 40, "optimization.learningRate.warmupEpochs": 40, "optimization.scheduleScale": 1.25 }],
    [
      { "optimization.learningRate.peak": 0.0001, "optimization.learningRate.start": 0.0002 },
      "E309 optimization.learningRate.start: `start` is above `peak`; found 0.0002; want at most 0.0001, the peak",
    ],
    [
      { "optimization.learningRate.final": 0.1 },
      "E309 optimization.learningRate.final: `final` is above `peak`; found 0.1; want at most 0.001, the peak",
    ],
    [
      { "masking.minKeep": 30 },
      "E310 masking.targets.scale: on a grid of 14×14 patches a target block can be as small as 5×6; found 30 patches; want more than masking.minKeep = 30. Set masking.minKeep to 29 or less, raise the target scale, or take smaller patches.",
    ],
    [{ "masking.minKeep": 29 }],
    [
      { "encoder.patch": 112, "masking.minKeep": 0 },
      "E310 masking.targets.scale: on a grid of 2×2 patches a target block can be as small as 0×0; found 0 patches; want more than masking.minKeep = 0. Raise the target scale, or take smaller patches.",
    ],
    [
      { "masking.context.scale": [0.05, 0.5], "masking.minKeep": 10 },
      "E311 masking.context.scale: on a grid of 14×14 patches the context block can be as small as 3×3; found 9 patches; want more than masking.minKeep = 10. Set masking.minKeep to 8 or less, raise the context scale, or take smaller patches.",
    ],
    [
      { "masking.context.tokens": 169 },
      'E312 masking.context.tokens: a context of 13×13 with targets of 8×5 seldom leaves that many patches; found 169 tokens, left by 0 % of the draws; want at most 70, which half of the draws leave, or "auto"',
    ],
    [{ "masking.context.tokens": 169, "masking.allowOverlap": true }],
    [
      { "masking.context.tokens": 170, "masking.allowOverlap": true },
      'E312 masking.context.tokens: a context of 13×13 with targets of 8×5 seldom leaves that many patches; found 170 tokens, left by 0 % of the draws; want at most 169, which half of the draws leave, or "auto"',
    ],
    [
      { "data.sceneSize": 200 },
      "E313 data.sceneSize: the scenes are smaller than the image that is cropped from them; found 200 pixels; want at least image.size = 224",
    ],
    [{ "encoder.patch": 2 }, "E314 encoder.patch: the grid is too fine; found 12544 patches; want at most 4096"],
    [
      { data: { source: "folder", train: "x", images: 4096, validation: "y", holdOut: 0.1 } },
      "E320 data.holdOut: there are validation images already; found 0.1; want either `validation` or `holdOut`",
    ],
    [{ "optimization.skipNonFinite": 3 }],
    [
      { "optimization.skipNonFinite": 3, "hardware.gpus": 2 },
      "E324 optimization.skipNonFinite: steps are not skipped where devices share a batch; found hardware.gpus = 2; want 0, which stops the run at the first such step, or one device",
    ],
    [{ "checkpoint.keepBest.metric": "loss", "evaluation.everyEpochs": 0 }],
    [{ "checkpoint.keepBest.metric": "shape.knn", "evaluation.everyEpochs": 2 }],
    [
      { "checkpoint.keepBest.metric": "shape.knn", "evaluation.everyEpochs": 0 },
      'E323 checkpoint.keepBest.metric: the metric is measured at the end alone, as evaluation.everyEpochs is 0; found "shape.knn"; want evaluation.everyEpochs of at least 1, or the metric "loss"',
    ],
    [
      {
        data: { source: "folder", train: "x", images: 4096, labels: false },
        "checkpoint.keepBest.metric": "rankMe",
        "evaluation.everyEpochs": 1,
      },
      'E323 checkpoint.keepBest.metric: nothing is evaluated: that takes labels and held-out images; found "rankMe"; want the metric "loss"',
    ],
    [
      { "evaluation.knn.neighbours": 300, "evaluation.trainImages": 256 },
      "E316 evaluation.knn.neighbours: more neighbours vote than there are images; found 300 neighbours; want at most 256, the images that the probes learn from",
    ],
    [
      {
        data: { source: "folder", train: "x", images: 4096, labels: false },
        "evaluation.knn.neighbours": 300,
        "evaluation.trainImages": 256,
      },
    ],
  ];

test.each(mistakes)("%j", (fields, ...want) => {
  let spec: JsonObject = valid;
  for (const [path, value] of Object.entries(fields)) spec = withField(spec, path, value);
  expect(complaints(JSON.stringify(spec))).toEqual(want);
});

test("every rule has a name of its own", () => {
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
});
