import { describe, expect, test } from "vitest";
import { mayOverwrite } from "../../../../runtime/engines/onnx/alias";
import { Graph, type Value } from "../../../../runtime/engines/onnx/graph";

interface Case {
  readonly name: string;
  /** From the old value w and another input x, the new value, and anything else that is computed. */
  readonly build: (g: Graph, w: Value, x: Value) => { readonly next: Value; readonly others?: readonly Value[] };
  readonly want: boolean;
  /** Where the writer must not read it either. */
  readonly wantOnGpu: boolean;
}

const DIMS = [4, 4];
const cases: readonly Case[] = [
  {
    name: "element by element",
    build: (g, w, x) => ({ next: g.one("Add", [w, x], DIMS) }),
    want: true,
    wantOnGpu: false,
  },
  {
    name: "read on the way to the new value",
    build: (g, w, x) => ({ next: g.one("Add", [g.one("Gemm", [x, w], DIMS), x], DIMS) }),
    want: true,
    wantOnGpu: true,
  },
  {
    name: "the writer reads other elements",
    build: (g, w, x) => ({ next: g.one("Gemm", [x, w], DIMS) }),
    want: false,
    wantOnGpu: false,
  },
  {
    name: "somebody else reads it, in no order",
    build: (g, w, x) => ({ next: g.one("Add", [w, x], DIMS), others: [g.one("Gemm", [x, w], DIMS)] }),
    want: false,
    wantOnGpu: false,
  },
  {
    name: "somebody else reads it under another shape",
    build: (g, w, x) => {
      const view = g.one("Reshape", [w, g.ints([16])], [16]);
      return { next: g.one("Add", [w, x], DIMS), others: [g.one("Sqrt", [view], [16])] };
    },
    want: false,
    wantOnGpu: false,
  },
  {
    name: "the other reader has to run first",
    build: (g, w, x) => {
      const reader = g.one("Gemm", [x, w], DIMS);
      const shape = g.one("Shape", [reader], [0], { start: { int: 0 }, end: { int: 0 } }, { type: "i64" });
      const scalar = g.one("Expand", [g.scalar(1), shape], []);
      return { next: g.one("Sub", [w, g.one("Mul", [x, scalar], DIMS)], DIMS), others: [reader] };
    },
    want: true,
    wantOnGpu: false,
  },
  {
    name: "the writer reads it again under broadcasting",
    build: (g, w, x) => ({ next: g.one("Add", [x, w], [3, 4, 4]) }),
    want: false,
    wantOnGpu: false,
  },
  { name: "it is not computed", build: (_, w) => ({ next: w }), want: false, wantOnGpu: false },
];

describe("a result may be written over what it replaces", () => {
  test.each(cases)("$name: $want, on a GPU $wantOnGpu", ({ build, want, wantOnGpu }) => {
    const graph = new Graph();
    const w = graph.input("w", "f32", DIMS);
    const x = graph.input("x", "f32", DIMS);
    const { next, others = [] } = build(graph, w, x);
    const nodes = graph.needed([next, ...others]);
    expect(mayOverwrite(nodes, w, next)).toBe(want);
    expect(mayOverwrite(nodes, w, next, { writerReads: false })).toBe(wantOnGpu);
  });
});
