/**
 * Mistakes that a compiler or a hand could make in step.ts, one at a time: the replay of an official run must notice each.
 * Most are made in step_odd_perturbed, whose weights are disturbed so that biases, norms and attention all matter.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engines/engine";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import type { Group } from "../../runtime/replay/compare";
import { type CompiledTrace, compiledTrace, followFiles, type Mutation, mutatedStep } from "../support/replay";

interface Mistake extends Mutation {
  readonly mistake: string;
  /** Also made in a step in bfloat16, whose tolerances are wider: far beyond what rounding explains. */
  readonly isLarge?: true;
  /** Steps until it can be seen; 1 unless said otherwise. */
  readonly steps?: number;
  /** One of the groups that show it. */
  readonly seenIn: Group;
}

const mutations: readonly Mistake[] = [
  // ── Targets ──
  { mistake: "no layer norm of targets", from: /o\.normalize\((\w+), .*?\)/, to: "$1", seenIn: "targets" },
  { mistake: "layer norm of targets with the eps of the model", from: /eps: 1e-5/, to: "eps: 1e-6", seenIn: "losses" },
  {
    mistake: "targets in the order (context, block, image)",
    inside: "targetLastBlock",
    from: /o\.splitBlocks\((\w+), \{ blocks: 3, copies: 2, rows: R, tokens: l\.T \}\)/,
    to: "o.tileBatch(o.splitBlocks($1, { blocks: 3, copies: 1, rows: R / 2, tokens: l.T }), { copies: 2, rows: R })",
    seenIn: "targets",
  },
  {
    mistake: "no positions in the target encoder",
    from: /o\.addTable\((\w+), \w+\)/,
    to: "$1",
    inside: "embedPatches",
    seenIn: "targets",
  },
  {
    mistake: "targets from the encoder that is trained",
    from: /of target\.blocks/,
    to: "of weights.encoder.blocks",
    steps: 5,
    seenIn: "weights",
  },

  // ── Forward ──
  { mistake: "eps 1e-5 in every layer norm", from: /eps: 1e-6/g, to: "eps: 1e-5", seenIn: "predictions" },
  {
    mistake: "scores that are not scaled",
    inside: "contextBlock",
    from: /scale: 1 \/ Math\.sqrt\(E\)/,
    to: "scale: 1",
    seenIn: "context",
  },
  {
    mistake: "scores scaled by the width of all heads",
    from: /Math\.sqrt\(E\)/g,
    to: "Math.sqrt(D)",
    seenIn: "gradients",
  },
  {
    mistake: "query and key swapped",
    inside: "contextBlock",
    from: /o\.matmulNT\(q(\w*), k(\w*),/,
    to: "o.matmulNT(k$2, q$1,",
    seenIn: "context",
  },
  {
    mistake: "query, key and value in another order",
    inside: "contextBlock",
    from: /const \[q, k, v\]/,
    to: "const [v, q, k]",
    seenIn: "context",
  },
  {
    mistake: "as many heads as a head is wide",
    from: /heads: H, headWidth: E/g,
    to: "heads: E, headWidth: H",
    seenIn: "context",
  },
  {
    mistake: "no residual around attention",
    isLarge: true,
    inside: "contextBlock",
    from: /o\.add\(x, (\w+)\)/,
    to: "$1",
    seenIn: "context",
  },
  {
    mistake: "no residual around the MLP",
    inside: "predictorBlock",
    from: /o\.add\(\w+, mlp\)/,
    to: "mlp",
    seenIn: "predictions",
  },
  {
    isLarge: true,
    mistake: "no activation",
    inside: "predictorBlock",
    from: /o\.gelu\((\w+)\)/,
    to: "$1",
    seenIn: "predictions",
  },
  {
    mistake: "no positions of the context in the predictor",
    inside: "predictorFirstBlock",
    from: /o\.add\(embedded, \w+\)/,
    to: "embedded",
    seenIn: "predictions",
  },
  {
    mistake: "no mask token",
    inside: "predictorFirstBlock",
    from: /o\.addVector\((\w+), maskToken\)/,
    to: "$1",
    seenIn: "predictions",
  },

  // ── Loss and gradients ──
  { isLarge: true, mistake: "the mean squared error", from: /smoothL1/g, to: "mse", seenIn: "losses" },
  {
    mistake: "the gradient of a sum over two halves, not of the mean",
    from: /o\.smoothL1Grad\(predictions, targets\)/,
    to: "o.scale(o.smoothL1Grad(predictions, targets), { by: 2 })",
    seenIn: "gradients",
  },
  {
    mistake: "prediction and target swapped in the gradient",
    from: /o\.smoothL1Grad\(predictions, targets\)/,
    to: "o.smoothL1Grad(targets, predictions)",
    seenIn: "gradients",
  },
  {
    mistake: "no gradient of the mask token",
    inside: "predictorFirstBlockBackward",
    from: /const dMaskToken = o\.sumRows\((\w+)\)/,
    to: "const dMaskToken = o.scale(o.sumRows($1), { by: 0 })",
    seenIn: "gradients",
  },
  {
    mistake: "no gradient through the residual",
    inside: "contextBlockBackward",
    from: /o\.add\(dOut, (\w+)\)/,
    to: "$1",
    seenIn: "gradients",
  },
  {
    mistake: "the slope of the activation where it is already activated",
    inside: "contextBlockBackward",
    from: /o\.geluGrad\((\w+), hidden\)/,
    to: "o.geluGrad($1, activated)",
    seenIn: "gradients",
  },
  {
    mistake: "no gradient of the softmax",
    isLarge: true,
    inside: "contextBlockBackward",
    from: /o\.softmaxGrad\((\w+), attention\)/,
    to: "$1",
    seenIn: "gradients",
  },
  {
    mistake: "a weight's gradient transposed",
    isLarge: true,
    inside: "contextBlockBackward",
    from: /o\.linearGradWeight\((merged\w*), (\w+)\)/,
    to: "o.linearGradWeight($2, $1)",
    seenIn: "gradients",
  },

  // ── AdamW ──
  { mistake: "decay on biases and norms", from: /decay: w\.shape.*?,\n/, to: "decay: true,\n", seenIn: "weights" },
  {
    mistake: "no decay on the mask token",
    from: /decay: w\.shape.*?,\n/,
    to: "decay: w.shape.length > 1,\n",
    seenIn: "weights",
  },
  { mistake: "no decay", from: /decay: w\.shape.*?,\n/, to: "decay: false,\n", seenIn: "weights" },
  { mistake: "eps 1e-6 in AdamW", from: /eps: 1e-8/, to: "eps: 1e-6", seenIn: "weights" },
  { mistake: "beta1 0.8", from: /beta1: 0\.9/, to: "beta1: 0.8", seenIn: "weights" },
  { mistake: "beta2 0.95", from: /beta2: 0\.999/, to: "beta2: 0.95", steps: 5, seenIn: "weights" },
  {
    mistake: "the two scalars of AdamW swapped",
    from: /schedule\.stepSize, schedule\.secondMoment/,
    to: "schedule.secondMoment, schedule.stepSize",
    seenIn: "weights",
  },

  // ── Moving average ──
  {
    mistake: "keep and take swapped",
    isLarge: true,
    from: /schedule\.keep, schedule\.take/,
    to: "schedule.take, schedule.keep",
    seenIn: "moving average",
  },
  {
    mistake: "the moving average before the update",
    from: /followAll\(target, next\.weights\.encoder/,
    to: "followAll(target, weights.encoder",
    seenIn: "moving average",
  },
  { isLarge: true, mistake: "no moving average", from: /o\.ema\(t, w, .*?\)/, to: "w", seenIn: "moving average" },
];

/** The interpreter takes seconds for a step. */
const TIMEOUT = 600_000;

const kinds = [
  { precision: "fp32", makeEngine: () => createEngine({ threads: 1 }), seen: mutations },
  // In float64 with operands rounded to bfloat16: no plugin has to be here.
  { precision: "bf16", makeEngine: () => createReferenceEngine(), seen: mutations.filter(({ isLarge }) => isLarge) },
] as const;

describe.each(kinds)("one mistake in step.ts, $precision", ({ precision, makeEngine, seen }) => {
  let compiled: CompiledTrace;
  let engine: Engine;
  beforeAll(async () => {
    compiled = await compiledTrace("step_odd_perturbed", { precision });
    engine = await makeEngine();
  });
  afterAll(async () => {
    await engine.release();
    await compiled.trace.close();
  });

  it("none", { timeout: TIMEOUT }, async () => {
    const { comparisons } = await followFiles(compiled.trace, compiled.files, { steps: 1, mse: false, engine });
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
  });

  it.each(seen)("$mistake", { timeout: TIMEOUT }, async (mutation) => {
    const { trace } = compiled;
    const files = mutatedStep(compiled.files, mutation);
    const { comparisons } = await followFiles(trace, files, { steps: mutation.steps ?? 1, mse: false, engine });
    const groups = new Set(comparisons.filter(({ holds }) => !holds).map(({ group }) => group));
    expect([...groups]).toContain(mutation.seenIn);
  });
});
