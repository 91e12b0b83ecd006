/** Layers and attention. */
import type { KernelTable } from "../../table";
import type { Tensor } from "../core";
import type { Kernels } from "../kernels";
import { product, productOfStacks, productWithBias, sumFirst, type Transposed } from "../product";

type LayerOp =
  | "linear"
  | "linearGradInput"
  | "linearGradWeight"
  | "sumRows"
  | "layerNorm"
  | "layerNormGrad"
  | "normalize"
  | "normalizeGrad"
  | "gelu"
  | "geluGrad"
  | "splitHeads"
  | "joinHeads"
  | "mergeHeads"
  | "unmergeHeads"
  | "matmul"
  | "matmulNT"
  | "matmulTN"
  | "softmax"
  | "softmaxGrad";

/** As [everything else, last axis]. */
function rows(k: Kernels, x: Tensor): Tensor {
  const width = x.shape.at(-1) ?? 1;
  return k.reshape(x, [x.size / width, width]);
}

interface Normalized {
  /** (x − mean) / deviation. */
  readonly unit: Tensor;
  /** 1 / deviation, [rows, 1]. */
  readonly inverse: Tensor;
}

/** `readers`: how often each of the two is read afterwards; the unit form reads the inverse once more. */
function normalized(
  k: Kernels,
  x: Tensor,
  eps: number,
  readers: { readonly unit: number; readonly inverse: number },
): Normalized {
  k.shared(2, x);
  const centred = k.shared(2, k.sub(x, k.meanLast(x)));
  const variance = k.meanLast(k.unary("Square", centred));
  const inverse = k.shared(1 + readers.inverse, k.unary("Rsqrt", k.add(variance, eps)));
  return { unit: k.shared(readers.unit, k.mul(centred, inverse)), inverse };
}

/** (gradient − mean gradient − unit · mean(gradient · unit)) / deviation; reads `unit` twice, `gradient` three times. */
function normalizedGradient(k: Kernels, gradient: Tensor, { unit, inverse }: Normalized): Tensor {
  const along = k.mul(unit, k.meanLast(k.mul(gradient, unit)));
  const across = k.sub(gradient, k.meanLast(gradient));
  return k.mul(k.sub(across, along), inverse);
}

/** scale · a · b for every entry of the batch. The scale goes to the smaller of an operand and the result. */
function attentionProduct(
  k: Kernels,
  [a, b]: readonly [Tensor, Tensor],
  scale: number,
  shape: readonly number[],
  transposed: Transposed,
): Tensor {
  const stack = (x: Tensor): Tensor =>
    k.reshape(x, [x.shape.slice(0, -2).reduce((p, q) => p * q, 1), ...x.shape.slice(-2)]);
  const size = shape.reduce((p, q) => p * q, 1);
  const early = a.size < size;
  const left = early ? k.mul(stack(a), scale) : stack(a);
  const made = productOfStacks(k, left, stack(b), transposed);
  return k.reshape(early ? made : k.mul(made, scale), shape);
}

/** ½(1 + erf(x/√2)), the share of a normal variable below x. */
function normalShare(k: Kernels, x: Tensor): Tensor {
  return k.mul(k.add(k.erf(k.mul(x, Math.SQRT1_2)), 1), 0.5);
}

export const layerOps: KernelTable<Kernels, Tensor, Tensor, LayerOp> = {
  linear: (k, [x, weight, bias], _, [shape = []]) => k.reshape(productWithBias(k, rows(k, x), weight, bias), shape),
  linearGradInput: (k, [gradient, weight], _, [shape = []]) =>
    k.reshape(product(k, rows(k, gradient), weight, { b: true }), shape),
  linearGradWeight: (k, [x, gradient]) => product(k, rows(k, x), rows(k, gradient), { a: true }),
  sumRows: (k, [x]) => sumFirst(k, rows(k, x)),

  layerNorm: (k, [x, gain, bias], { eps }, [shape = []]) => {
    const { unit } = normalized(k, rows(k, x), eps, { unit: 1, inverse: 0 });
    return k.reshape(k.add(k.mul(unit, gain), bias), shape);
  },
  layerNormGrad: (k, [gradient, x, gain], { eps }, [shape = []]) => {
    const norm = normalized(k, rows(k, x), eps, { unit: 3, inverse: 1 });
    const g = k.shared(3, rows(k, gradient));
    const dBias = sumFirst(k, g);
    const dGain = sumFirst(k, k.mul(g, norm.unit));
    const dx = normalizedGradient(k, k.shared(3, k.mul(g, gain)), norm);
    return [k.reshape(dx, shape), dGain, dBias];
  },
  normalize: (k, [x], { eps }, [shape = []]) =>
    k.reshape(normalized(k, rows(k, x), eps, { unit: 1, inverse: 0 }).unit, shape),
  normalizeGrad: (k, [gradient, x], { eps }, [shape = []]) => {
    const norm = normalized(k, rows(k, x), eps, { unit: 2, inverse: 1 });
    return k.reshape(normalizedGradient(k, k.shared(3, rows(k, gradient)), norm), shape);
  },
  gelu: (k, [x]) => k.mul(normalShare(k, x), x),
  geluGrad: (k, [gradient, x]) => {
    const density = k.unary("Exp", k.mul(k.unary("Square", x), -0.5));
    const slope = k.add(k.mul(k.mul(density, x), 1 / Math.sqrt(2 * Math.PI)), normalShare(k, x));
    return k.mul(slope, gradient);
  },

  splitHeads: (k, [qkv], { heads, headWidth }) => {
    const [images = 0, tokens = 0] = qkv.shape;
    const all = k.transpose(k.reshape(qkv, [images, tokens, 3 * heads, headWidth]), [0, 2, 1, 3]);
    k.shared(3, all);
    return [0, 1, 2].map((third) => k.slice(all, [0, third * heads, 0, 0], [images, heads, tokens, headWidth]));
  },
  joinHeads: (k, [q, key, v], _, [shape = []]) => {
    return k.reshape(k.transpose(k.concat([q, key, v], 1), [0, 2, 1, 3]), shape);
  },
  mergeHeads: (k, [x], _, [shape = []]) => k.reshape(k.transpose(x, [0, 2, 1, 3]), shape),
  unmergeHeads: (k, [x], { heads, headWidth }) => {
    const [images = 0, tokens = 0] = x.shape;
    return k.transpose(k.reshape(x, [images, tokens, heads, headWidth]), [0, 2, 1, 3]);
  },
  matmul: (k, inputs, { scale }, [shape = []]) => attentionProduct(k, inputs, scale, shape, {}),
  matmulNT: (k, inputs, { scale }, [shape = []]) => attentionProduct(k, inputs, scale, shape, { b: true }),
  matmulTN: (k, inputs, { scale }, [shape = []]) => attentionProduct(k, inputs, scale, shape, { a: true }),
  softmax: (k, [x], _, [shape = []]) => k.reshape(k.run("Softmax", { logits: rows(k, x) }, { dim: 1 }), shape),
  softmaxGrad: (k, [gradient, y]) => k.mul(k.sub(gradient, k.sumLast(k.mul(gradient, y))), y),
};
