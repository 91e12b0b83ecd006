/** The text that a generated function becomes. No plugin is needed. */
import { describe, expect, test } from "vitest";
import type { EngineFunction, TensorSpec } from "../../../../runtime/engines/engine";
import { programOf } from "../../../../runtime/engines/xla/program";
import { targets } from "../../../../runtime/engines/xla/target";
import type { F32 } from "../../../../runtime/ops/ops";
import { plainOps } from "../../../support/plain-ops";

const f32 = (...shape: readonly (number | string)[]): TensorSpec => ({ dtype: "f32", shape });

/** w' = w + x summed over its C rows; keeps y, gives x out; never reads z. */
const fn: EngineFunction = {
  name: "a step",
  reads: ["y", "w"],
  inputs: new Map([
    ["x", f32("C", 3)],
    ["z", f32(2)],
  ]),
  lengths: ["C"],
  run: (ops, state, inputs) => {
    const o = plainOps(ops);
    const { w, y } = state as { w: F32<[3]>; y: F32<[3]> };
    const { x } = inputs as { x: F32<[number, 3]> };
    return { state: { w: o.add(w, o.add(o.sumRows(x), y)) }, outputs: { x } };
  },
};
const options = {
  state: new Map([
    ["w", f32(3)],
    ["y", f32(3)],
    ["other", f32(9)],
  ]),
  lengths: { C: 5 },
  settings: targets.cpu,
} as const;

test("a program, whole", () => {
  expect(programOf(fn, options).text).toBe(`module @a_step {
  func.func public @main(%0: tensor<3xf32>, %1: tensor<3xf32> {tf.aliasing_output = 0 : i32}, %2: tensor<5x3xf32>) -> (tensor<3xf32>, tensor<5x3xf32>) {
    %4 = stablehlo.constant dense<0x00000000> : tensor<f32>
    %5 = stablehlo.reduce(%2 init: %4) applies stablehlo.add across dimensions = [0] : (tensor<5x3xf32>, tensor<f32>) -> tensor<3xf32>
    %6 = stablehlo.add %5, %0 : tensor<3xf32>
    %7 = stablehlo.add %1, %6 : tensor<3xf32>
    return %7, %2 : tensor<3xf32>, tensor<5x3xf32>
  }
}
`);
});

test("its parameters are those that it reads, in the order of arguments; state that is replaced comes first of the results", () => {
  const { parameters, replaced, outputs, types } = programOf(fn, options);
  expect(parameters.map(({ from, path }) => `${from} ${path}`)).toEqual(["state y", "state w", "input x"]);
  expect([replaced, outputs]).toEqual([["w"], ["x"]]);
  expect(types.results).toEqual([
    { type: "f32", shape: [3] },
    { type: "f32", shape: [5, 3] },
  ]);
});

test("other lengths are another program; the same ones give the same text", () => {
  const text = (C: number) => programOf(fn, { ...options, lengths: { C } }).text;
  expect(text(5)).toBe(text(5));
  expect(text(6)).toContain("tensor<6x3xf32>");
  expect(() => programOf(fn, { ...options, lengths: {} })).toThrow("internal: a step was given no length C");
});

describe("products", () => {
  const product: EngineFunction = {
    name: "product",
    reads: [],
    inputs: new Map([
      ["x", f32(4, 5)],
      ["w", f32(5, 6)],
      ["b", f32(6)],
    ]),
    lengths: [],
    run: (ops, _, inputs) => {
      const o = plainOps(ops);
      const { x, w, b } = inputs as { x: F32<[4, 5]>; w: F32<[5, 6]>; b: F32<[6]> };
      return { state: {}, outputs: { y: o.linear(x, w, b), again: o.linear(x, w, b) } };
    },
  };
  test.each(["DEFAULT", "HIGHEST"] as const)("say how exact they are: %s", (precision) => {
    const { text } = programOf(product, {
      state: new Map(),
      lengths: {},
      settings: { precision, recomputes: false, ordersOperands: false },
    });
    expect(text).toContain(`precision = [${precision}, ${precision}]`);
    // The same product twice is written once.
    expect(text.match(/dot_general/g)).toHaveLength(1);
  });
});

describe("products of bfloat16", () => {
  /** The gradient of a weight and two products of attention, of operands that were transposed. */
  const backward: EngineFunction = {
    name: "backward",
    reads: [],
    inputs: new Map([
      ["x", f32(2, 3, 5)],
      ["y", f32(2, 3, 6)],
      ["q", f32(2, 3, 4)],
      ["p", f32(2, 2, 3, 3)],
    ]),
    lengths: [],
    run: (ops, _, inputs) => {
      const o = plainOps(ops);
      const { x, y, q, p } = inputs as {
        x: F32<[2, 3, 5]>;
        y: F32<[2, 3, 6]>;
        q: F32<[2, 3, 4]>;
        p: F32<[2, 2, 3, 3]>;
      };
      const heads = o.toBf16(o.unmergeHeads(q, { heads: 2, headWidth: 2 }));
      const scores = o.toBf16(p);
      return {
        state: {},
        outputs: {
          dW: o.linearGradWeight(o.toBf16(x), o.toBf16(y)),
          dV: o.matmulTN(scores, heads, { scale: 1 }),
          mixed: o.matmul(scores, heads, { scale: 1 }),
        },
      };
    },
  };
  const textOn = (device: "cpu" | "gpu"): string =>
    programOf(backward, { state: new Map(), lengths: {}, settings: targets[device] }).text;
  /** Axes that are summed, left × right, of the products in their order. */
  const summed = (text: string): readonly string[] =>
    [...text.matchAll(/contracting_dims = (\[\d\] x \[\d\])/g)].map(([, axes = ""]) => axes);

  test("sum over the last axis on the left where the kernels read rows, each operand in order once", () => {
    expect(summed(textOn("cpu"))).toEqual(["[1] x [0]", "[3] x [2]", "[3] x [2]"]);
    // x, the scores and the heads, which two products read.
    expect(textOn("cpu").match(/optimization_barrier/g)).toHaveLength(3);
  });
  test("stay as they are where XLA chooses the order itself", () => {
    expect(summed(textOn("gpu"))).toEqual(["[0] x [0]", "[2] x [2]", "[3] x [2]"]);
    expect(textOn("gpu")).not.toContain("optimization_barrier");
  });
});

test("the backward pass of a norm reads its statistics, or computes them again behind a barrier", () => {
  const norm: EngineFunction = {
    name: "norm",
    reads: [],
    inputs: new Map([
      ["x", f32(4, 5)],
      ["gain", f32(5)],
    ]),
    lengths: [],
    run: (ops, _, inputs) => {
      const o = plainOps(ops);
      const { x, gain } = inputs as { x: F32<[4, 5]>; gain: F32<[5]> };
      const out = o.layerNorm(x, gain, gain, { eps: 1e-6 });
      return { state: {}, outputs: o.layerNormGrad(out, x, gain, { eps: 1e-6 }) };
    },
  };
  const count = (device: "cpu" | "gpu", word: string): number =>
    programOf(norm, { state: new Map(), lengths: {}, settings: targets[device] }).text.split(word).length - 1;
  expect([count("cpu", "stablehlo.rsqrt"), count("cpu", "optimization_barrier")]).toEqual([1, 0]);
  expect([count("gpu", "stablehlo.rsqrt"), count("gpu", "optimization_barrier")]).toEqual([2, 1]);
});

test("the backward pass reads the cast of a weight, or casts it again once its gradient is there", () => {
  const twice: EngineFunction = {
    name: "twice",
    reads: ["w", "b"],
    inputs: new Map([
      ["x", f32(4, 5)],
      ["y", f32(4, 6)],
    ]),
    lengths: [],
    run: (ops, state, inputs) => {
      const o = plainOps(ops);
      const { w, b } = state as { w: F32<[5, 6]>; b: F32<[6]> };
      const { x, y } = inputs as { x: F32<[4, 5]>; y: F32<[4, 6]> };
      const out = o.linear(o.toBf16(x), o.toBf16(w), b);
      // A cast of what is no weight is kept: the forward pass made it.
      const dX = o.linearGradInput(o.toBf16(y), o.toBf16(w));
      return { state: {}, outputs: { out, dX } };
    },
  };
  const state = new Map([
    ["w", f32(5, 6)],
    ["b", f32(6)],
  ]);
  const textFor = (device: "cpu" | "gpu"): string =>
    programOf(twice, { state, lengths: {}, settings: targets[device] }).text;
  const casts = (text: string): number => text.split(": (tensor<5x6xf32>) -> tensor<5x6xbf16>").length - 1;
  expect([casts(textFor("cpu")), textFor("cpu").includes("optimization_barrier")]).toEqual([1, false]);
  expect(casts(textFor("gpu"))).toBe(2);
  expect(textFor("gpu")).toMatch(
    /(%\d+):2 = stablehlo\.optimization_barrier %\d+, %\d+ : tensor<5x6xf32>, tensor<4x6xbf16>\n.*convert \1#0 :/,
  );
});

test("lengths that do not fit are found while it is written", () => {
  const fails: EngineFunction = {
    ...fn,
    run: (ops, _, inputs) => {
      const o = plainOps(ops);
      const { x } = inputs as { x: F32<[number, 3]> };
      return { state: {}, outputs: { y: o.padTokens(x, { start: 0, tokens: 2 }) } };
    },
  };
  expect(programOf(fails, { ...options, lengths: { C: 2 } }).outputs).toEqual(["y"]);
  expect(() =>
    programOf({ ...fails, run: (o, s, i, l) => fails.run(o, s, i, l) }, { ...options, lengths: { C: 5 } }),
  ).not.toThrow();
});
