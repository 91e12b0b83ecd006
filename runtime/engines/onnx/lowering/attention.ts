/** Lowerings of attention: heads as batches of matrix products. */
import type { KernelTable } from "../../table";
import { type Dim, sameDims } from "../dims";
import { type Attribute, producerOf, type Value } from "../graph";
import type { Handle, Product, Recorder } from "../recorder";

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

/** FusedMatMul of onnxruntime, which transposes on the way and whose alpha is free. */
function fused(r: Recorder, { a, b, scale, transA, transB }: Product): Value {
  const dims = productDims(a, b, transA, transB);
  if (scale === 1 && !transA && !transB) return r.graph.one("MatMul", [a, b], dims);
  const attributes: Record<string, Attribute> = { alpha: { float: scale } };
  if (transA) attributes.transA = { int: 1 };
  if (transB) attributes.transB = { int: 1 };
  return r.graph.one("FusedMatMul", [a, b], dims, attributes, { domain: "com.microsoft" });
}

/** The same of MatMul, for providers that lack the other: the smaller factor takes the scale. */
function plain(r: Recorder, { a, b, scale, transA, transB }: Product): Value {
  const dims = productDims(a, b, transA, transB);
  const onA = transB;
  const left = onA ? r.times(a, scale) : a;
  const right = onA ? b : r.times(b, scale);
  return r.graph.one("MatMul", [transA ? turned(r, left) : left, transB ? turned(r, right) : right], dims);
}

function productDims(a: Value, b: Value, transA: boolean, transB: boolean): Dim[] {
  return [...a.dims.slice(0, -2), a.dims.at(transA ? -1 : -2) ?? 1, b.dims.at(transB ? -2 : -1) ?? 1];
}

/** With the last two axes swapped. */
function turned(r: Recorder, x: Value): Value {
  const rank = x.dims.length;
  const order = x.dims.map((_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  return r.transpose(x, order);
}

type ProductOp = "matmul" | "matmulNT" | "matmulTN";

function productLowerings(
  lower: (r: Recorder, product: Product) => Value,
): KernelTable<Recorder, Handle, Value, ProductOp> {
  const make = (r: Recorder, a: Handle, b: Handle, scale: number, transA: boolean, transB: boolean): Value => {
    const product = { a: r.full(a), b: r.full(b), scale, transA, transB };
    const value = lower(r, product);
    r.products.set(value, product);
    return value;
  };
  return {
    matmul: (r, [a, b], { scale }) => make(r, a, b, scale, false, false),
    matmulNT: (r, [a, b], { scale }) => make(r, a, b, scale, false, true),
    matmulTN: (r, [a, b], { scale }) => make(r, a, b, scale, true, false),
  };
}

/** For a provider that has no product that transposes or scales. */
export const plainProducts = productLowerings(plain);

/** [B, H, N, E] → [B, N, H, E] and back: the order is its own inverse. */
const HEADS_SWAP = [0, 2, 1, 3];

export const attentionLowerings: KernelTable<Recorder, Handle, Value, AttentionOp> = {
  // Straight from a linear layer, query, key and value are made by three products with a third of the weight each:
  // cutting the small weight is cheaper than cutting the large result.
  splitHeads: (r, [qkv], { heads, headWidth }) => {
    const [batch = 0, tokens = 0] = qkv.shape;
    const linear = r.linears.get(qkv.value);
    if (linear === undefined) {
      const parts = r.reshape(qkv.value, [r.dim(batch), r.dim(tokens), 3, heads, headWidth]);
      const dims = [r.dim(batch), heads, r.dim(tokens), headWidth];
      return r.split(r.transpose(parts, [2, 0, 3, 1, 4]), 3, 0).map((part) => r.reshape(part, dims));
    }
    const biases = r.split(linear.bias, 3, 0);
    return r.split(linear.weight, 3, 1).map((weight, i) => {
      const bias = biases[i];
      const part = r.gemm(linear.x, weight, bias === undefined ? {} : { c: bias });
      return r.transpose(r.reshape(part, [r.dim(batch), r.dim(tokens), heads, headWidth]), HEADS_SWAP);
    });
  },

  joinHeads: (r, [q, k, v], { width }) => {
    const [batch = 0, heads = 0, tokens = 0, headWidth = 0] = q.shape;
    const dims = [batch, heads, r.dim(tokens), headWidth];
    const parts = [q, k, v].map((part) => r.reshape(r.full(part), [1, ...dims]));
    const stacked = r.graph.one("Concat", parts, [3, ...dims], { axis: { int: 0 } });
    return r.reshape(r.transpose(stacked, [1, 3, 0, 2, 4]), [batch, r.dim(tokens), width]);
  },

  mergeHeads: (r, [x], { width }) => {
    const [batch = 0, , tokens = 0] = x.shape;
    return r.reshape(r.transpose(r.full(x), HEADS_SWAP), [r.dim(batch), r.dim(tokens), width]);
  },

  unmergeHeads: (r, [x], { heads, headWidth }) => {
    const [batch = 0, tokens = 0] = x.shape;
    return r.transpose(r.reshape(x.value, [batch, r.dim(tokens), heads, headWidth]), HEADS_SWAP);
  },

  ...productLowerings(fused),

  softmax: (r, [x]) => r.graph.one("Softmax", [x.value], x.value.dims, { axis: { int: -1 } }),

  softmaxGrad: (r, [gradient, y]) => {
    const [dy, p] = r.alike(gradient, y);
    if (!dy || !p) throw new Error("internal: two inputs");
    const total = totalOfAttention(r, dy, p) ?? r.reduce("ReduceSum", r.mul(dy, p), [-1], true);
    return r.mul(p, r.sub(dy, total));
  },
};

/**
 * Σ gradient·y over the keys. Where y = attention mixes values to o = y·v and the gradient is dO·vᵀ, that is Σ dO·o
 * over the width of a head, which is several times narrower. undefined where the graph is not of this form.
 */
function totalOfAttention(r: Recorder, gradient: Value, y: Value): Value | undefined {
  const made = r.products.get(gradient);
  if (made === undefined || made.transA || !made.transB || made.scale !== 1) return undefined;
  const { a: dMixed, b: v } = made;
  const mixed = r.graph.find("MatMul", [y, v]);
  // Both lie with the heads beside each other as well, and only those are kept for the gradients of the weights.
  const merged = mixed && r.graph.find("Transpose", [mixed], { perm: { ints: HEADS_SWAP } });
  const dMerged = producerOf(dMixed, "Transpose")?.inputs[0];
  if (!merged || !dMerged || !sameDims(merged.dims, dMerged.dims)) return undefined;
  return r.transpose(r.reduce("ReduceSum", r.mul(merged, dMerged), [-1], true), HEADS_SWAP);
}
