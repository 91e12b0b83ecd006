/**
 * Masked autoencoders against recorded runs of Hugging Face's ViTMAEForPreTraining (tests/golden/transformers): loss, every
 * gradient, and the weights after three steps of AdamW, with pixels normalized and as they are; and mistakes in step.ts that
 * a recorded run must notice.
 */
import { describe } from "vitest";
import type { Mistake } from "../support/mistakes";
import { hasNoMovingAverage, holds, noticesMistakes, recordedRun } from "../support/recorded-runs";

describe.each([
  // A difference of both runs is only in what they record: 16 weights of a block, two blocks of each network or one.
  ["mae_normalized", 197],
  ["mae_pixels", 121],
])("%s", (name, tensors) => {
  const run = recordedRun(`transformers/${name}`);
  holds(run, tensors);
  hasNoMovingAverage(run);
});

const mistakes: readonly Mistake[] = [
  { mistake: "the biased variance of a patch", from: /o\.scale\((\w+), .*?\);/, to: "$1;", seenIn: "targets" },
  {
    mistake: "pixels as they are",
    inside: "pixelTargets",
    from: /o\.normalize\((\w+), \{.*?\}\)/,
    to: "$1",
    seenIn: "targets",
  },
  {
    mistake: "no class token",
    inside: "embedVisible",
    from: /o\.addVector\((\w+), classToken\)/,
    to: "$1",
    seenIn: "context",
  },
  {
    mistake: "the class token last",
    inside: "embedVisible",
    from: /o\.concatTokens\(first, placed,/,
    to: "o.concatTokens(placed, first,",
    seenIn: "context",
  },
  {
    mistake: "no positions in the encoder",
    inside: "embedVisible",
    from: /o\.add\(embedded, \w+\)/,
    to: "embedded",
    seenIn: "context",
  },
  {
    mistake: "no mask token",
    inside: "decoderInput",
    from: /o\.addVector\((\w+), maskToken\)/,
    to: "$1",
    seenIn: "predictions",
  },
  {
    mistake: "a position for the class token",
    inside: "decoderInput",
    from: /start: 1, tokens: CE/,
    to: "start: 0, tokens: CE",
    seenIn: "predictions",
  },
  {
    mistake: "no positions of visible patches in the decoder",
    inside: "decoderInput",
    from: /o\.add\(embedded, \w+\)/,
    to: "embedded",
    seenIn: "predictions",
  },
  {
    mistake: "predictions of the wrong tokens",
    inside: "decoderLastBlock",
    from: /start: CE/g,
    to: "start: 0",
    seenIn: "predictions",
  },
  { mistake: "the absolute error", from: /o\.mse\(/g, to: "o.smoothL1(", seenIn: "losses" },
  { mistake: "the gradient of half the error", from: /o\.mseGrad\(/g, to: "o.smoothL1Grad(", seenIn: "gradients" },
  {
    mistake: "no gradient of the class token's row",
    inside: "embedVisibleBackward",
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
  { mistake: "beta2 0.999", from: /beta2: 0\.95/, to: "beta2: 0.999", steps: 3, seenIn: "weights" },
];

noticesMistakes("transformers/mae_normalized", mistakes);
