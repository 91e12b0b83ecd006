/** Lowerings of attention: heads, products of them, softmax. */
import type { KernelTable } from "../../table";
import type { Builder, Value } from "../builder";

type AttentionOp =
  | "splitHeads"
  | "joinHeads"
  | "mergeHeads"
  | "unmergeHeads"
  | "matmul"
  | "matmulNT"
  | "matmulTN"
  | "softmax"
  | "softmaxGrad";

/** scale · a · b for every entry of the batch, over these axes of the two (of the last two). */
function product(b: Builder, left: Value, right: Value, scale: number, contract: readonly [number, number]): Value {
  const batch = left.shape.slice(0, -2).map((_, i) => i);
  const axes = [[batch.length + contract[0]], [batch.length + contract[1]]] as const;
  return b.times(b.dotForLayers(left, right, { batch: [batch, batch], contract: axes }), scale);
}

/** [B, H, N, E] ↔ [B, N, H, E] */
function swapHeads(b: Builder, x: Value): Value {
  return b.transpose(x, [0, 2, 1, 3]);
}

export const attentionLowerings: KernelTable<Builder, Value, Value, AttentionOp> = {
  splitHeads: (b, [qkv], { heads, headWidth }) => {
    const [batch = 0, tokens = 0] = qkv.shape;
    const width = heads * headWidth;
    return [0, 1, 2].map((third) =>
      swapHeads(b, b.reshape(b.slice(qkv, 2, third * width, width), [batch, tokens, heads, headWidth])),
    );
  },
  joinHeads: (b, inputs) => {
    const parts = inputs.map((x) => {
      const [batch = 0, heads = 0, tokens = 0, headWidth = 0] = x.shape;
      return b.reshape(swapHeads(b, x), [batch, tokens, heads * headWidth]);
    });
    return b.concat(parts, 2);
  },
  mergeHeads: (b, [x], _, [out = []]) => b.reshape(swapHeads(b, x), out),
  unmergeHeads: (b, [x], { heads, headWidth }) =>
    swapHeads(b, b.reshape(x, [...x.shape.slice(0, 2), heads, headWidth])),
  matmul: (b, [left, right], { scale }) =>
    b.attention?.product(left, right, scale) ?? product(b, left, right, scale, [1, 0]),
  matmulNT: (b, [left, right], { scale }) => {
    const out = product(b, left, right, scale, [1, 1]);
    b.attention?.scores(out, left, right, scale);
    return out;
  },
  matmulTN: (b, [left, right], { scale }) =>
    b.attention?.transposedProduct(left, right, scale) ?? product(b, left, right, scale, [0, 0]),
  softmax: (b, [x]) => {
    const top = b.atFirst(b.reduce("maximum", x, [x.shape.length - 1]), x.shape);
    const raised = b.unary("exponential", b.sub(x, top));
    const weights = b.div(raised, b.atFirst(b.sumLast(raised), x.shape));
    b.attention?.softmax(weights, x);
    return weights;
  },
  softmaxGrad: (b, [gradient, y]) => {
    const sums = b.atFirst(b.sumLast(b.mul(gradient, y)), y.shape);
    const gradientOfScores = b.mul(y, b.sub(gradient, sums));
    b.attention?.softmaxGrad(gradientOfScores, gradient, y);
    return gradientOfScores;
  },
};
