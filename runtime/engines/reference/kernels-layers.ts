/** Layers and attention, as their formulas say. */

import { erf } from "../erf";
import type { KernelTable } from "../table";
import { at, axis, type Dense, dense, fill, rowsOf } from "./tensor";

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

/** scale · op(a) · op(b) for every entry of the batch; [i, k] · [k, j] after transposing. */
function product(a: Dense, b: Dense, scale: number, transA: boolean, transB: boolean): Dense {
  const rows = axis(a, transA ? -1 : -2);
  const inner = axis(a, transA ? -2 : -1);
  const columns = axis(b, transB ? -2 : -1);
  return fill([...a.shape.slice(0, -2), rows, columns], (i) => {
    const batch = Math.floor(i / rows / columns);
    const row = Math.floor(i / columns) % rows;
    const column = i % columns;
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const x = at(a, batch * rows * inner + (transA ? k * rows + row : row * inner + k));
      const y = at(b, batch * inner * columns + (transB ? column * inner + k : k * columns + column));
      sum += x * y;
    }
    return scale * sum;
  });
}

function asRows(x: Dense): Dense {
  const { rows, width } = rowsOf(x);
  return dense([rows, width], x.data);
}

function sumRows(x: Dense): Dense {
  const { rows, width } = rowsOf(x);
  return fill([width], (column) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += at(x, row * width + column);
    return sum;
  });
}

/** Sum over the last axis of some function of (row, place). */
function rowSums(x: Dense, value: (i: number) => number): Float64Array {
  const { rows, width } = rowsOf(x);
  const sums = new Float64Array(rows);
  for (let i = 0; i < x.data.length; i++) {
    const row = Math.floor(i / width);
    sums[row] = (sums[row] ?? 0) + value(i);
  }
  return sums;
}

interface Normalized {
  readonly unit: Dense;
  /** 1 / √(variance + eps) of a row. */
  readonly inverse: Float64Array;
}

function normalized(x: Dense, eps: number): Normalized {
  const { width } = rowsOf(x);
  const rowOf = (i: number): number => Math.floor(i / width);
  const mean = rowSums(x, (i) => at(x, i) / width);
  const centred = fill(x.shape, (i) => at(x, i) - (mean[rowOf(i)] ?? 0));
  const variance = rowSums(x, (i) => at(centred, i) ** 2 / width);
  const inverse = variance.map((value) => 1 / Math.sqrt(value + eps));
  return { unit: fill(x.shape, (i) => at(centred, i) * (inverse[rowOf(i)] ?? 0)), inverse };
}

/** Gradient of the normalization by x, given that by its output. */
function normalizedGradient(gradient: Dense, { unit, inverse }: Normalized): Dense {
  const { width } = rowsOf(unit);
  const mean = rowSums(gradient, (i) => at(gradient, i) / width);
  const meanProduct = rowSums(gradient, (i) => (at(gradient, i) * at(unit, i)) / width);
  return fill(unit.shape, (i) => {
    const row = Math.floor(i / width);
    const centred = at(gradient, i) - (mean[row] ?? 0) - at(unit, i) * (meanProduct[row] ?? 0);
    return centred * (inverse[row] ?? 0);
  });
}

/** [B, N, H, E] ↔ [B, H, N, E], given the shape of the result. */
function swapHeads(x: Dense, shape: readonly number[]): Dense {
  const [, a = 0, b = 0, width = 0] = shape;
  return fill(shape, (i) => {
    const inner = i % width;
    const second = Math.floor(i / width) % b;
    const first = Math.floor(i / width / b) % a;
    const batch = Math.floor(i / width / b / a);
    return at(x, ((batch * b + second) * a + first) * width + inner);
  });
}

export const layerKernels: KernelTable<null, Dense, Dense, LayerOp> = {
  linear: (_, [x, weight, bias]) => {
    const plain = product(asRows(x), weight, 1, false, false);
    return fill([...x.shape.slice(0, -1), axis(weight, 1)], (i) => at(plain, i) + at(bias, i % bias.data.length));
  },
  linearGradInput: (_, [gradient, weight], __, [shape = []]) =>
    dense(shape, product(asRows(gradient), weight, 1, false, true).data),
  linearGradWeight: (_, [x, gradient]) => product(asRows(x), asRows(gradient), 1, true, false),
  sumRows: (_, [x]) => sumRows(x),
  layerNorm: (_, [x, gain, bias], { eps }) => {
    const { unit } = normalized(x, eps);
    const width = gain.data.length;
    return fill(x.shape, (i) => at(unit, i) * at(gain, i % width) + at(bias, i % width));
  },
  layerNormGrad: (_, [gradient, x, gain], { eps }) => {
    const norm = normalized(x, eps);
    const width = gain.data.length;
    const scaled = fill(x.shape, (i) => at(gradient, i) * at(gain, i % width));
    const products = fill(x.shape, (i) => at(gradient, i) * at(norm.unit, i));
    return [normalizedGradient(scaled, norm), sumRows(products), sumRows(gradient)];
  },
  normalize: (_, [x], { eps }) => normalized(x, eps).unit,
  normalizeGrad: (_, [gradient, x], { eps }) => normalizedGradient(gradient, normalized(x, eps)),
  gelu: (_, [x]) => fill(x.shape, (i) => at(x, i) * 0.5 * (1 + erf(at(x, i) / Math.SQRT2))),
  geluGrad: (_, [gradient, x]) =>
    fill(x.shape, (i) => {
      const h = at(x, i);
      const density = Math.exp(-0.5 * h * h) / Math.sqrt(2 * Math.PI);
      return at(gradient, i) * (0.5 * (1 + erf(h / Math.SQRT2)) + h * density);
    }),

  splitHeads: (_, [qkv], { heads, headWidth }) => {
    const [batch = 0, tokens = 0, width = 0] = qkv.shape;
    return [0, 1, 2].map((third) =>
      fill([batch, heads, tokens, headWidth], (i) => {
        const inner = i % headWidth;
        const token = Math.floor(i / headWidth) % tokens;
        const head = Math.floor(i / headWidth / tokens) % heads;
        const image = Math.floor(i / headWidth / tokens / heads);
        return at(qkv, (image * tokens + token) * width + (third * heads + head) * headWidth + inner);
      }),
    );
  },
  joinHeads: (_, [q, k, v], { width }) => {
    const [batch = 0, heads = 0, tokens = 0, headWidth = 0] = q.shape;
    return fill([batch, tokens, width], (i) => {
      const column = i % width;
      const token = Math.floor(i / width) % tokens;
      const image = Math.floor(i / width / tokens);
      const third = Math.floor(column / headWidth / heads);
      const head = Math.floor(column / headWidth) % heads;
      const source = third === 0 ? q : third === 1 ? k : v;
      return at(source, ((image * heads + head) * tokens + token) * headWidth + (column % headWidth));
    });
  },
  mergeHeads: (_, [x], __, [shape = []]) => {
    const [batch = 0, heads = 0, tokens = 0, headWidth = 0] = x.shape;
    return dense(shape, swapHeads(x, [batch, tokens, heads, headWidth]).data);
  },
  unmergeHeads: (_, [x], __, [shape = []]) => swapHeads(x, shape),
  matmul: (_, [a, b], { scale }) => product(a, b, scale, false, false),
  matmulNT: (_, [a, b], { scale }) => product(a, b, scale, false, true),
  matmulTN: (_, [a, b], { scale }) => product(a, b, scale, true, false),
  softmax: (_, [x]) => {
    const { rows, width } = rowsOf(x);
    const top = Array.from({ length: rows }, (__, row) => Math.max(...x.data.subarray(row * width, (row + 1) * width)));
    const raised = fill(x.shape, (i) => Math.exp(at(x, i) - (top[Math.floor(i / width)] ?? 0)));
    const sums = rowSums(raised, (i) => at(raised, i));
    return fill(x.shape, (i) => at(raised, i) / (sums[Math.floor(i / width)] ?? 1));
  },
  softmaxGrad: (_, [gradient, y]) => {
    const { width } = rowsOf(y);
    const sums = rowSums(y, (i) => at(gradient, i) * at(y, i));
    return fill(y.shape, (i) => at(y, i) * (at(gradient, i) - (sums[Math.floor(i / width)] ?? 0)));
  },
};
