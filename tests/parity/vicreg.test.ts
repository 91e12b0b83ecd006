/**
 * I-JEPA with the terms of VICReg against a run that PyTorch recorded (tests/golden/torch/record.py, where they are written from
 * the paper): the terms, every gradient, the weights after three steps; and mistakes in step.ts that it must notice.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engines/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { createEngine as createTfjs } from "../../runtime/engines/tfjs/engine";
import type { Group } from "../../runtime/replay/compare";
import { follow } from "../../runtime/replay/follow";
import { evaluateReplay } from "../support/generated";
import { type CompiledTrace, compiledTraceAt, followFiles } from "../support/replay";

let compiled: CompiledTrace;
beforeAll(async () => {
  compiled = await compiledTraceAt(fileURLToPath(new URL("../golden/torch/vicreg.safetensors", import.meta.url)));
});
afterAll(() => compiled.trace.close());

const tensors = 265;

describe("a recorded run with a regularizer", () => {
  it("holds on the default engine, with the regularizer beside the whole loss", async () => {
    const { comparisons, notRecorded } = await followFiles(compiled.trace, compiled.files);
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    expect(comparisons).toHaveLength(tensors);
    expect(notRecorded).toEqual([]);
    const names = comparisons.map(({ tensor }) => tensor);
    expect(names).toEqual(expect.arrayContaining(["fwd.regularizer", "fwd.loss_smooth_l1", "grad.encoder.norm.bias"]));
  });

  it.each<[name: string, engine: () => Promise<Engine>]>([
    ["in float64", createReferenceEngine],
    ["on tfjs", () => createTfjs({ threads: 1, device: "wasm" })],
  ])("holds %s", async (_, engine) => {
    const { comparisons } = await follow(await evaluateReplay(compiled.files), compiled.trace, await engine());
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    expect(comparisons).toHaveLength(tensors);
  });
});

interface Mutation {
  readonly mistake: string;
  readonly from: RegExp;
  readonly to: string;
  /** Steps until it can be seen; 1 unless said otherwise. */
  readonly steps?: number;
  readonly seenIn: Group;
}

/** In the text of step.ts, whose forward and backward pass observe.ts has once more: what is wrong there moves weights. */
const mutations: readonly Mutation[] = [
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

describe("one mistake in step.ts", () => {
  it.each(mutations)("$mistake", async ({ from, to, steps = 1, seenIn }) => {
    const files = compiled.files.map((file) => {
      if (file.name !== "step.ts") return file;
      const text = file.text.replace(from, to);
      if (text === file.text) throw new Error(`step.ts has nothing like ${from}`);
      return { ...file, text };
    });
    const { comparisons } = await followFiles(compiled.trace, files, { steps });
    const groups = new Set(comparisons.filter(({ holds }) => !holds).map(({ group }) => group));
    expect([...groups]).toContain(seenIn);
  });
});
