/** Lowerings of attention: heads as batches of matrix products. */
import type { KernelTable } from "../../table";
import type { Attribute, Value } from "../graph";
import type { Handle, Recorder } from "../recorder";

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

/** scale · a · b per batch entry, either of them transposed: FusedMatMul of onnxruntime, whose alpha is free. */
function product(r: Recorder, a: Value, b: Value, scale: number, transA: boolean, transB: boolean): Value {
  const rank = a.dims.length;
  const dims = [
    ...a.dims.slice(0, -2),
    a.dims[transA ? rank - 1 : rank - 2] ?? 1,
    b.dims[transB ? rank - 2 : rank - 1] ?? 1,
  ];
  if (scale === 1 && !transA && !transB) return r.graph.one("MatMul", [a, b], dims);
  const attributes: Record<string, Attribute> = { alpha: { float: scale } };
  if (transA) attributes.transA = { int: 1 };
  if (transB) attributes.transB = { int: 1 };
  return r.graph.one("FusedMatMul", [a, b], dims, attributes, { domain: "com.microsoft" });
}

/** [B, H, N, E] → [B, N, H, E] and back: the order is its own inverse. */
const HEADS_SWAP = [0, 2, 1, 3];

export const attentionLowerings: KernelTable<Recorder, Handle, Value, AttentionOp> = {
  splitHeads: (r, [qkv], { heads, headWidth }) => {
    const [batch = 0, tokens = 0] = qkv.shape;
    const parts = r.reshape(qkv.value, [batch, r.dim(tokens), 3, heads, headWidth]);
    const moved = r.transpose(parts, [2, 0, 3, 1, 4]);
    const dims = [batch, heads, r.dim(tokens), headWidth];
    const split = r.graph.node({
      op: "Split",
      inputs: [moved],
      attributes: { axis: { int: 0 }, num_outputs: { int: 3 } },
      outputs: [1, 2, 3].map(() => ({ dims: [1, ...dims] })),
    });
    return split.map((part) => r.reshape(part, dims));
  },

  joinHeads: (r, [q, k, v], { width }) => {
    const [batch = 0, , tokens = 0] = q.shape;
    const third = [batch, r.dim(tokens), width / 3];
    const parts = [q, k, v].map((part) => r.reshape(r.transpose(r.full(part), HEADS_SWAP), third));
    return r.graph.one("Concat", parts, [batch, r.dim(tokens), width], { axis: { int: 2 } });
  },

  mergeHeads: (r, [x], { width }) => {
    const [batch = 0, , tokens = 0] = x.shape;
    return r.reshape(r.transpose(r.full(x), HEADS_SWAP), [batch, r.dim(tokens), width]);
  },

  unmergeHeads: (r, [x], { heads, headWidth }) => {
    const [batch = 0, tokens = 0] = x.shape;
    return r.transpose(r.reshape(x.value, [batch, r.dim(tokens), heads, headWidth]), HEADS_SWAP);
  },

  matmul: (r, [a, b], { scale }) => product(r, r.full(a), r.full(b), scale, false, false),
  matmulNT: (r, [a, b], { scale }) => product(r, r.full(a), r.full(b), scale, false, true),
  matmulTN: (r, [a, b], { scale }) => product(r, r.full(a), r.full(b), scale, true, false),

  softmax: (r, [x]) => r.graph.one("Softmax", [x.value], x.value.dims, { axis: { int: -1 } }),

  softmaxGrad: (r, [gradient, y]) => {
    const [dy, p] = r.alike(gradient, y);
    if (!dy || !p) throw new Error("internal: two inputs");
    const total = r.reduce("ReduceSum", r.mul(dy, p), [-1], true);
    return r.mul(p, r.sub(dy, total));
  },
};
