/**
 * SimMIM against recorded runs of Hugging Face's ViTForMaskedImageModeling (tests/golden/transformers): loss, every gradient, and
 * the weights after three steps of AdamW; and mistakes in step.ts that a recorded run must notice.
 */
import { describe } from "vitest";
import type { Mistake } from "../support/mistakes";
import { hasNoMovingAverage, holds, noticesMistakes, recordedRun } from "../support/recorded-runs";

describe.each([
  ["simmim_two_blocks", 107],
  ["simmim_one_block", 69],
])("%s", (name, tensors) => {
  const run = recordedRun(`transformers/${name}`);
  holds(run, tensors);
  hasNoMovingAverage(run);
});

const mistakes: readonly Mistake[] = [
  {
    mistake: "pixels normalized patch by patch",
    inside: "pixelTargets",
    from: /o\.gatherTokens\(patches, masked\)/,
    to: "o.normalize(o.gatherTokens(patches, masked), { eps: 1e-6 })",
    seenIn: "targets",
  },
  {
    mistake: "no class token",
    inside: "embedMasked",
    from: /o\.addVector\((\w+), classToken\)/,
    to: "$1",
    seenIn: "predictions",
  },
  {
    mistake: "no mask token",
    inside: "embedMasked",
    from: /o\.addVector\((\w+), maskToken\)/,
    to: "$1",
    seenIn: "predictions",
  },
  {
    mistake: "no positions of visible patches",
    inside: "embedMasked",
    from: /o\.add\(embedded, \w+\)/,
    to: "embedded",
    seenIn: "predictions",
  },
  {
    mistake: "no positions of mask tokens",
    inside: "embedMasked",
    from: /o\.addVector\(maskedAt,/,
    to: "o.addVector(o.scale(maskedAt, { by: 0 }),",
    seenIn: "predictions",
  },
  {
    mistake: "the class token among the mask tokens",
    inside: "maskedLastBlock",
    from: /start: CE/g,
    to: "start: 0",
    seenIn: "predictions",
  },
  {
    mistake: "no final norm before the head",
    inside: "maskedLastBlock",
    from: /o\.layerNorm\(out, norm\.weight.*?\)/,
    to: "out",
    seenIn: "predictions",
  },
  { mistake: "the squared error", from: /o\.l1\(/g, to: "o.mse(", seenIn: "losses" },
  { mistake: "the gradient of smooth L1", from: /o\.l1Grad\(/g, to: "o.smoothL1Grad(", seenIn: "gradients" },
  {
    mistake: "the gradient of the other side",
    from: /o\.l1Grad\(predictions, targets\)/,
    to: "o.l1Grad(targets, predictions)",
    seenIn: "gradients",
  },
  {
    mistake: "the gradient of the visible rows for the mask token",
    inside: "embedMaskedBackward",
    from: /o\.sumRows\(dMaskTokens\)/,
    to: "o.sumRows(dSeen)",
    seenIn: "gradients",
  },
  {
    mistake: "no gradient of the class token's row",
    inside: "embedMaskedBackward",
    from: /start: 0, tokens: 1/,
    to: "start: 1, tokens: 1",
    seenIn: "gradients",
  },
  {
    mistake: "no decay on the tokens",
    from: /decay: w\.shape.*?,\n/,
    to: "decay: w.shape.length > 1,\n",
    seenIn: "weights",
  },
  { mistake: "decay on biases and norms", from: /decay: w\.shape.*?,\n/, to: "decay: true,\n", seenIn: "weights" },
  { mistake: "beta2 0.95", from: /beta2: 0\.999/, to: "beta2: 0.95", steps: 3, seenIn: "weights" },
];

noticesMistakes("transformers/simmim_two_blocks", mistakes);
