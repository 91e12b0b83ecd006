/** Heads, batched products and softmax. */
import { operands } from "../formats";
import type { AttrsOf } from "../ops";
import { axis, elementwise, input, type Signature, type Signatures, same } from "./signature";

function product<K extends "matmul" | "matmulNT" | "matmulTN">(op: K, transA: boolean, transB: boolean): Signature<K> {
  return {
    inputs: 2,
    outputs: 1,
    formats: operands,
    attrs: { scale: 1 } as AttrsOf<K>, // the attributes of all three
    shapes: (inputs) => {
      const a = input(op, inputs, 0, -2);
      const b = input(op, inputs, 1, a.length);
      same(op, inputs, a.slice(0, -2), b.slice(0, -2));
      const inner = axis(op, inputs, a, transA ? -2 : -1);
      same(op, inputs, [inner], [axis(op, inputs, b, transB ? -1 : -2)]);
      return [[...a.slice(0, -2), axis(op, inputs, a, transA ? -1 : -2), axis(op, inputs, b, transB ? -2 : -1)]];
    },
  };
}

export const attention = {
  splitHeads: {
    inputs: 1,
    outputs: 3,
    shapes: (inputs, { heads, headWidth }) => {
      const qkv = input("splitHeads", inputs, 0, 3);
      const part = [axis("splitHeads", inputs, qkv, 0), heads, axis("splitHeads", inputs, qkv, 1), headWidth];
      return [part, part, part];
    },
  },
  joinHeads: {
    inputs: 3,
    outputs: 1,
    shapes: (inputs, { width }) => {
      const q = input("joinHeads", inputs, 0, 4);
      same("joinHeads", inputs, q, input("joinHeads", inputs, 1, 4));
      same("joinHeads", inputs, q, input("joinHeads", inputs, 2, 4));
      return [[axis("joinHeads", inputs, q, 0), axis("joinHeads", inputs, q, 2), width]];
    },
  },
  mergeHeads: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { width }) => {
      const x = input("mergeHeads", inputs, 0, 4);
      return [[axis("mergeHeads", inputs, x, 0), axis("mergeHeads", inputs, x, 2), width]];
    },
  },
  unmergeHeads: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { heads, headWidth }) => {
      const x = input("unmergeHeads", inputs, 0, 3);
      return [[axis("unmergeHeads", inputs, x, 0), heads, axis("unmergeHeads", inputs, x, 1), headWidth]];
    },
  },
  matmul: product("matmul", false, false),
  matmulNT: product("matmulNT", false, true),
  matmulTN: product("matmulTN", true, false),
  softmax: elementwise("softmax", 1, 1),
  softmaxGrad: elementwise("softmaxGrad", 2, 1),
} satisfies Signatures;
