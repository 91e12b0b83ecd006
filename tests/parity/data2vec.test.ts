/**
 * data2vec against recorded runs of Hugging Face's Data2VecVisionModel (tests/golden/transformers): targets, loss, every
 * gradient, weights and moving average after three steps, with the mean of three blocks of four and with the last of two; and
 * mistakes in step.ts that a recorded run must notice.
 */
import { describe } from "vitest";
import type { Mistake } from "../support/mistakes";
import { holds, noticesMistakes, recordedRun } from "../support/recorded-runs";

describe.each([
  ["data2vec_blocks", 301],
  ["data2vec_last", 173],
])("%s", (name, tensors) => {
  const run = recordedRun(`transformers/${name}`);
  holds(run, tensors);
});

const mistakes: readonly Mistake[] = [
  {
    mistake: "one block fewer in the mean",
    inside: "summedTargetBlock",
    from: /o\.add\(sum, normalized\)/,
    to: "sum",
    seenIn: "targets",
  },
  {
    mistake: "the sum instead of the mean",
    inside: "targetLastBlock",
    from: /o\.scale\((\w+), .*?\);/,
    to: "$1;",
    seenIn: "targets",
  },
  {
    mistake: "blocks as they are",
    inside: "firstTargets",
    from: /o\.normalize\((\w+), \{.*?\}\)/,
    to: "$1",
    seenIn: "targets",
  },
  {
    mistake: "the last block as it is",
    inside: "targetLastBlock",
    from: /o\.normalize\((\w+), \{.*?\}\)/,
    to: "$1",
    seenIn: "targets",
  },
  {
    mistake: "targets of another patch",
    inside: "firstTargets",
    from: /start: 1, tokens/,
    to: "start: 0, tokens",
    seenIn: "targets",
  },
  {
    mistake: "no mask token",
    inside: "embedMasked",
    from: /o\.addVector\(maskedAt, maskToken\)/,
    to: "maskedAt",
    seenIn: "context",
  },
  {
    mistake: "no positions of masked patches",
    inside: "embedMasked",
    from: /o\.gatherRows\(positions, masked\)/,
    to: "o.scale(o.gatherRows(positions, masked), { by: 0 })",
    seenIn: "context",
  },
  {
    mistake: "no class token",
    inside: "embedMasked",
    from: /o\.addVector\((\w+), classToken\)/,
    to: "$1",
    seenIn: "context",
  },
  { mistake: "beta 1", from: /beta: 2/g, to: "beta: 1", seenIn: "losses" },
  {
    mistake: "the gradient of another beta",
    inside: "lossOfBackward",
    from: /beta: 2/,
    to: "beta: 1",
    seenIn: "gradients",
  },
  {
    mistake: "no gradient of the mask token",
    inside: "embedMaskedBackward",
    from: /o\.sumRows\(dMaskTokens\)/,
    to: "o.scale(o.sumRows(dMaskTokens), { by: 0 })",
    seenIn: "gradients",
  },
  {
    mistake: "no decay on the tokens",
    from: /decay: w\.shape.*?,\n/,
    to: "decay: w.shape.length > 1,\n",
    seenIn: "weights",
  },
  { mistake: "a target encoder that stays", from: /o\.ema\((t), .*?\)\)/, to: "$1)", seenIn: "moving average" },
];

noticesMistakes("transformers/data2vec_blocks", mistakes);
