/** Every shape rule: what it gives for the sample call of its op, and what it refuses. */
import { describe, expect, test } from "vitest";
import { referenceOps } from "../../../runtime/engines/reference/engine";
import { outputShapes } from "../../../runtime/ops/adapter";
import type { OpName } from "../../../runtime/ops/ops";
import { ShapeError, signatures } from "../../../runtime/ops/signatures";
import { callOp, denseSample } from "../../support/op-calls";
import { opNames } from "../../support/op-samples";

/** Shapes of the inputs of a wrong call → what is said of them. */
type Wrong = Readonly<Record<string, string>>;

const noScalar: Wrong = { "[]": "input 0 should have at least 1 axis" };
const noVector: Wrong = { "[D]": "input 0 should have at least 2 axes" };
const onlyOne: Wrong = { "[N,D] [N,D]": "takes 1 tensor; found 2" };
const two: Wrong = {
  "[N,D] [D]": "input 1 should have 2 axes",
  "[N,D] [N,E]": "shapes differ: [N, D] and [N, E]",
};
const twoWithRows: Wrong = { "[] []": "input 0 should have at least 1 axis", ...two };
const loss: Wrong = {
  "[] []": "input 0 should have at least 1 axis",
  "[N,D] [D]": "shapes differ: [N, D] and [D]",
  "[N,D] [M,D]": "shapes differ: [N, D] and [M, D]",
};
const features: Wrong = { "[B,N,D]": "input 0 should have 2 axes" };

const wrong: { readonly [K in OpName]: Wrong } = {
  normalizePixels: {
    "[C,Y,X] [C] [C]": "input 0 should have 4 axes",
    "[B,C,Y,X] [] [C]": "input 1 should have 1 axis",
    "[B,C,Y,X] [C] []": "input 2 should have 1 axis",
    "[B,C,Y,X] [B] [C]": "shapes differ: [C] and [B]",
    "[B,C,Y,X] [C] [B]": "shapes differ: [C] and [B]",
  },
  patchify: { "[C,Y,X]": "input 0 should have 4 axes" },
  gatherTokens: {
    "[N,D] [B,K]": "input 0 should have 3 axes",
    "[B,N,D] [K]": "input 1 should have 2 axes",
  },
  scatterTokens: {
    "[K,D] [B,K]": "input 0 should have 3 axes",
    "[B,K,D] [K]": "input 1 should have 2 axes",
    "[B,K,D] [B,N]": "shapes differ: [B, K] and [B, N]",
    "[B,K,D] [R,K]": "shapes differ: [B, K] and [R, K]",
  },
  gatherRows: {
    "[B,N,D] [B,K]": "input 0 should have 2 axes",
    "[N,D] [K]": "input 1 should have 2 axes",
  },
  concatTokens: {
    "[C,D] [B,T,D]": "input 0 should have 3 axes",
    "[B,C,D] [T,D]": "input 1 should have 3 axes",
    "[B,C,D] [R,T,D]": "shapes differ: [B] and [R]",
    "[B,C,D] [B,T,E]": "shapes differ: [D] and [E]",
  },
  sliceTokens: noVector,
  padTokens: noVector,
  sliceColumns: noScalar,
  padColumns: noScalar,
  tileBatch: noScalar,
  sumTiles: noScalar,
  splitBlocks: { "[B,U]": "input 0 should have 3 axes" },
  joinBlocks: { "[R,T]": "input 0 should have 3 axes" },
  meanTokens: { "[N,D]": "input 0 should have 3 axes" },
  spreadTokens: { "[B,N,D]": "input 0 should have 2 axes" },

  linear: {
    "[] [D,F] [F]": "input 0 should have at least 1 axis",
    "[B,N,D] [F] [F]": "input 1 should have 2 axes",
    "[B,N,D] [D,F] [B,F]": "input 2 should have 1 axis",
    "[B,N,D] [E,F] [F]": "shapes differ: [D] and [E]",
    "[B,N,D] [D,F] [D]": "shapes differ: [F] and [D]",
  },
  linearGradInput: {
    "[] [D,F]": "input 0 should have at least 1 axis",
    "[B,N,F] [F]": "input 1 should have 2 axes",
    "[B,N,D] [D,F]": "shapes differ: [D] and [F]",
  },
  linearGradWeight: {
    "[] []": "input 0 should have at least 1 axis",
    "[B,N,D] [N,F]": "input 1 should have 3 axes",
    "[B,N,D] [B,M,F]": "shapes differ: [B, N] and [B, M]",
  },
  sumRows: noScalar,
  layerNorm: {
    "[] [D] [D]": "input 0 should have at least 1 axis",
    "[B,N,D] [N,D] [D]": "input 1 should have 1 axis",
    "[B,N,D] [D] [N,D]": "input 2 should have 1 axis",
    "[B,N,D] [E] [D]": "shapes differ: [D] and [E]",
    "[B,N,D] [D] [E]": "shapes differ: [D] and [E]",
  },
  layerNormGrad: {
    "[] [] [D]": "input 0 should have at least 1 axis",
    "[B,N,D] [N,D] [D]": "input 1 should have 3 axes",
    "[B,N,D] [B,N,D] [N,D]": "input 2 should have 1 axis",
    "[B,N,D] [B,M,D] [D]": "shapes differ: [B, N, D] and [B, M, D]",
    "[B,N,D] [B,N,D] [E]": "shapes differ: [D] and [E]",
  },
  normalize: noScalar,
  normalizeGrad: twoWithRows,
  gelu: onlyOne,
  geluGrad: two,

  splitHeads: { "[N,D3]": "input 0 should have 3 axes" },
  joinHeads: {
    "[H,N,E] [B,H,N,E] [B,H,N,E]": "input 0 should have 4 axes",
    "[B,H,N,E] [H,N,E] [B,H,N,E]": "input 1 should have 4 axes",
    "[B,H,N,E] [B,H,N,E] [H,N,E]": "input 2 should have 4 axes",
    "[B,H,N,E] [B,H,M,E] [B,H,N,E]": "shapes differ: [B, H, N, E] and [B, H, M, E]",
    "[B,H,N,E] [B,H,N,E] [B,H,N,D]": "shapes differ: [B, H, N, E] and [B, H, N, D]",
  },
  mergeHeads: { "[B,N,D]": "input 0 should have 4 axes" },
  unmergeHeads: { "[B,H,N,E]": "input 0 should have 3 axes" },
  matmul: {
    "[K] [K]": "input 0 should have at least 2 axes",
    "[H,I,K] [K,O]": "input 1 should have 3 axes",
    "[H,I,K] [B,K,O]": "shapes differ: [H] and [B]",
    "[H,I,K] [H,O,K]": "shapes differ: [K] and [O]",
    "[H,K,I] [H,K,O]": "shapes differ: [I] and [K]",
  },
  matmulNT: {
    "[K] [K]": "input 0 should have at least 2 axes",
    "[H,I,K] [O,K]": "input 1 should have 3 axes",
    "[H,I,K] [B,O,K]": "shapes differ: [H] and [B]",
    "[H,I,K] [H,K,O]": "shapes differ: [K] and [O]",
    "[H,K,I] [H,O,K]": "shapes differ: [I] and [K]",
  },
  matmulTN: {
    "[K] [K]": "input 0 should have at least 2 axes",
    "[H,K,I] [K,O]": "input 1 should have 3 axes",
    "[H,K,I] [B,K,O]": "shapes differ: [H] and [B]",
    "[H,K,I] [H,O,K]": "shapes differ: [K] and [O]",
    "[H,I,K] [H,K,O]": "shapes differ: [I] and [K]",
  },
  softmax: noScalar,
  softmaxGrad: twoWithRows,

  add: two,
  addVector: {
    "[] [D]": "input 0 should have at least 1 axis",
    "[B,N,D] [N,D]": "input 1 should have 1 axis",
    "[B,N,D] [N]": "shapes differ: [D] and [N]",
  },
  addTable: {
    "[N,D] [N,D]": "input 0 should have 3 axes",
    "[B,N,D] [D]": "input 1 should have 2 axes",
    "[B,N,D] [M,D]": "shapes differ: [N, D] and [M, D]",
  },
  sumBatch: { "[N,D]": "input 0 should have 3 axes" },
  scale: onlyOne,
  scaleBy: { "[B,N,D] [B]": "input 1 should have 0 axes" },
  scaleRows: {
    "[] [B]": "input 0 should have at least 1 axis",
    "[B,N,D] []": "input 1 should have 1 axis",
    "[B,N,D] [N]": "shapes differ: [B] and [N]",
  },
  one: { "[]": "takes 0 tensors; found 1" },

  toBf16: onlyOne,
  toF32: onlyOne,

  smoothL1: loss,
  smoothL1Grad: two,
  mse: loss,
  mseGrad: two,
  l1: loss,
  l1Grad: two,
  varianceTerm: features,
  varianceTermGrad: features,
  covarianceTerm: features,
  covarianceTermGrad: features,

  allReduce: { "": "takes 1 tensor; found 0" },
  shard: { "": "takes 1 tensor; found 0" },
  allGather: { "[D]": "takes 2 tensors; found 1", "[D,F] [D,F]": "input 0 should have 1 axis" },
  globalNorm: { "": "takes one tensor or more; found 0" },
  clipFactor: { "[N]": "input 0 should have 0 axes" },
  adamw: {
    "[D,F] [D] [D,F] [D,F] [] [] []": "input 1 should have 2 axes",
    "[D,F] [D,F] [D] [D,F] [] [] []": "input 2 should have 2 axes",
    "[D,F] [D,F] [D,F] [D] [] [] []": "input 3 should have 2 axes",
    "[D,F] [F,D] [D,F] [D,F] [] [] []": "shapes differ: [D, F] and [F, D]",
    "[D,F] [D,F] [F,D] [D,F] [] [] []": "shapes differ: [D, F] and [F, D]",
    "[D,F] [D,F] [D,F] [F,D] [] [] []": "shapes differ: [D, F] and [F, D]",
    "[D,F] [D,F] [D,F] [D,F] [D] [] []": "input 4 should have 0 axes",
    "[D,F] [D,F] [D,F] [D,F] [] [D] []": "input 5 should have 0 axes",
    "[D,F] [D,F] [D,F] [D,F] [] [] [D]": "input 6 should have 0 axes",
  },
  ema: {
    "[D,F] [D] [] []": "input 1 should have 2 axes",
    "[D,F] [F,D] [] []": "shapes differ: [D, F] and [F, D]",
    "[D,F] [D,F] [D] []": "input 2 should have 0 axes",
    "[D,F] [D,F] [] [D]": "input 3 should have 0 axes",
  },
};

/** `[B,N,D] []` as lists of axes. */
const shapesOf = (text: string): string[][] =>
  [...text.matchAll(/\[([^\]]*)\]/g)].map(([, axes = ""]) => axes.split(",").filter((axis) => axis !== ""));

describe.each(opNames)("%s", (op) => {
  const { inputs, attrs } = denseSample(op, 5);
  const shapes = inputs.map(({ shape }) => shape);

  test("gives the shape of what its formula makes", () => {
    const made = callOp(referenceOps, op, inputs, attrs);
    expect(outputShapes<number>(op, shapes, attrs)).toEqual(made.map(({ shape }) => shape));
    expect(made).toHaveLength(signatures[op].outputs);
  });

  test("takes as many tensors as it has inputs", () => {
    const { inputs: count } = signatures[op];
    if (count === "many") return;
    const given = [...shapes, []];
    for (const wrongCount of [count - 1, count + 1].filter((each) => each >= 0)) {
      const call = () => outputShapes<number>(op, given.slice(0, wrongCount), attrs);
      expect(call).toThrow(`takes ${count} tensor${count === 1 ? "" : "s"}; found ${wrongCount}`);
    }
  });

  const cases = Object.entries(wrong[op]);
  test("refuses something", () => expect(cases).not.toEqual([]));

  test.each(cases)("%s: %s", (text, why) => {
    const given = shapesOf(text);
    const found = given.map((axes) => `[${axes.join(", ")}]`).join(", ");
    expect(() => outputShapes<string>(op, given, {})).toThrow(new ShapeError(op, given, why));
    expect(() => outputShapes<string>(op, given, {})).toThrow(`internal: ${op}(${found}): ${why}`);
  });
});
