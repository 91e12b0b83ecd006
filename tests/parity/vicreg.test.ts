/**
 * I-JEPA with the terms of VICReg against a run that PyTorch recorded (tests/golden/torch/record.py, where they are written from
 * the paper): the terms, every gradient, the weights after three steps; and mistakes in step.ts that it must notice.
 */

import { describe, expect, it } from "vitest";
import { createEngine as createTfjs } from "../../runtime/engines/tfjs/engine";
import { follow } from "../../runtime/replay/follow";
import { evaluateReplay } from "../support/generated";
import type { Mistake } from "../support/mistakes";
import { holds, noticesMistakes, recordedRun } from "../support/recorded-runs";
import { followFiles } from "../support/replay";

describe("a recorded run with a regularizer", () => {
  const run = recordedRun("torch/vicreg");
  holds(run, 265);

  it("has the regularizer beside the whole loss", async () => {
    const { comparisons } = await followFiles(run().trace, run().files);
    const names = comparisons.map(({ tensor }) => tensor);
    expect(names).toEqual(expect.arrayContaining(["fwd.regularizer", "fwd.loss_smooth_l1", "grad.encoder.norm.bias"]));
  });

  it("holds on tfjs", async () => {
    const engine = await createTfjs({ threads: 1, device: "wasm" });
    const { comparisons } = await follow(await evaluateReplay(run().files), run().trace, engine);
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
  });
});

/** In the text of step.ts, whose forward and backward pass observe.ts has once more: what is wrong there moves weights. */
const mistakes: readonly Mistake[] = [
  {
    mistake: "the gradient of the predictor alone",
    from: /contextNormActs, dContext\)/,
    to: "contextNormActs, predictorFirstBlockGradients.dInput)",
    seenIn: "weights",
  },
  {
    mistake: "the gradient of the regularizer alone",
    from: /contextNormActs, dContext\)/,
    to: "contextNormActs, pooledContextGradients.dInput)",
    seenIn: "weights",
  },
  {
    mistake: "one of both gradients twice",
    from: /(const dContext = o\.add\((\S+), )\S+\);/,
    to: "$1$2);",
    seenIn: "weights",
  },
  {
    mistake: "the loss of the predictions alone",
    from: /const loss = o\.add\(predictionLoss, regularizer\);/,
    to: "const loss = predictionLoss;",
    steps: 3,
    seenIn: "losses",
  },
  { mistake: "no covariance", from: /o\.add\(variance, covariance\)/, to: "variance", seenIn: "losses" },
  {
    mistake: "no gradient of the covariance",
    from: /const dFeatures = o\.add\(.*?\);/,
    to: "const dFeatures = dFeaturesFromVariance;",
    seenIn: "gradients",
  },
  { mistake: "another γ", from: /gamma: 1\b/g, to: "gamma: 2", seenIn: "losses" },
  { mistake: "another ε", from: /gamma: 1, eps: 1e-4/g, to: "gamma: 1, eps: 1e-2", seenIn: "losses" },
  { mistake: "another weight of the variance", from: /0\.01 \* 25/g, to: "0.01 * 24", seenIn: "losses" },
  {
    mistake: "a gradient of another weight",
    from: /covarianceTermGrad\(features, \{ weight: 0\.01 \* 1 \}/,
    to: "covarianceTermGrad(features, { weight: 0.02 * 1 }",
    seenIn: "gradients",
  },
];

noticesMistakes("torch/vicreg", mistakes);
