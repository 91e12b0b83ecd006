/**
 * Every op once more, as a scalar program that counts its operations: what the cost formulas of compiler/ops are held to.
 * Its numbers are compared with the float64 reference, so what is counted is what the op takes.
 */
import { erf } from "../../runtime/engines/erf";
import { at, axis, type Dense, dense, fill, rowsOf, sizeOf } from "../../runtime/engines/reference/tensor";
import type { Kernel } from "../../runtime/engines/table";
import type { OpName, Shape } from "../../runtime/ops/ops";

/** Arithmetic that counts. Signs and indices are free; see `Cost` in compiler/ops/op.ts for what counts how much. */
export class Counter {
  flops = 0;

  /** For what a formula leaves out: done once for a row, for the scale of a product, or for all. */
  get aside(): Counter {
    return new Counter();
  }

  private took(flops: number, result: number): number {
    this.flops += flops;
    return result;
  }

  add = (a: number, b: number): number => this.took(1, a + b);
  sub = (a: number, b: number): number => this.took(1, a - b);
  mul = (a: number, b: number): number => this.took(1, a * b);
  div = (a: number, b: number): number => this.took(1, a / b);
  max = (a: number, b: number): number => this.took(1, Math.max(a, b));
  min = (a: number, b: number): number => this.took(1, Math.min(a, b));
  sqrt = (a: number): number => this.took(1, Math.sqrt(a));
  isBelow = (a: number, b: number): boolean => this.took(1, a < b ? 1 : 0) === 1;
  /** a · b + c */
  fma = (a: number, b: number, c: number): number => this.took(2, a * b + c);
  exp = (a: number): number => this.took(2, Math.exp(a));
  erf = (a: number): number => this.took(6, erf(a));

  sum(count: number, termAt: (i: number) => number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = this.add(sum, termAt(i));
    return sum;
  }

  /** Σ a_i · b_i, from `start` on. */
  dot(count: number, a: (i: number) => number, b: (i: number) => number, start = 0): number {
    let sum = start;
    for (let i = 0; i < count; i++) sum = this.fma(a(i), b(i), sum);
    return sum;
  }
}

/** "moves": every number of the output is one of an input, or zero. */
export type Counted<K extends OpName> = Kernel<K, Counter, Dense, Dense> | "moves";

interface Operand {
  readonly x: Dense;
  readonly transposed: boolean;
}

/** Features [rows, width] less the means of their columns. */
function centred(c: Counter, x: Dense) {
  const [rows, width] = [axis(x, 0), axis(x, 1)];
  const means = Array.from({ length: width }, (_, d) =>
    c.aside.div(
      c.sum(rows, (row) => at(x, row * width + d)),
      rows,
    ),
  );
  return { rows, width, less: fill(x.shape, (i) => c.sub(at(x, i), means[i % width] ?? 0)) };
}

function columns(c: Counter, x: Dense, eps: number) {
  const { rows, width, less } = centred(c, x);
  const deviations = Array.from({ length: width }, (_, d) => {
    const column = (row: number): number => at(less, row * width + d);
    return c.aside.sqrt(c.aside.add(c.aside.div(c.dot(rows, column, column), rows - 1), eps));
  });
  return { rows, width, less, deviation: (d: number): number => deviations[d] ?? 0 };
}

/** a · b for every entry of the batch; `start` gives what a sum begins with, by its column. */
function product(c: Counter, a: Operand, b: Operand, start: (column: number) => number = () => 0): Dense {
  const rows = axis(a.x, a.transposed ? -1 : -2);
  const inner = axis(a.x, a.transposed ? -2 : -1);
  const columns = axis(b.x, b.transposed ? -2 : -1);
  return fill([...a.x.shape.slice(0, -2), rows, columns], (i) => {
    const batch = Math.floor(i / rows / columns);
    const row = Math.floor(i / columns) % rows;
    const column = i % columns;
    return c.dot(
      inner,
      (k) => at(a.x, batch * rows * inner + (a.transposed ? k * rows + row : row * inner + k)),
      (k) => at(b.x, batch * inner * columns + (b.transposed ? column * inner + k : k * columns + column)),
      start(column),
    );
  });
}

const plain = (x: Dense): Operand => ({ x, transposed: false });
const transposed = (x: Dense): Operand => ({ x, transposed: true });
const asRows = (x: Dense): Dense => dense([rowsOf(x).rows, rowsOf(x).width], x.data);
const shaped = (shape: Shape | undefined, x: Dense): Dense => dense(shape ?? [], x.data);

function scaled(c: Counter, x: Dense, by: number): Dense {
  return fill(x.shape, (i) => c.mul(by, at(x, i)));
}

/** A tensor row by row: `rowOf` gives the numbers of one row. */
function byRow(x: Dense, rowOf: (start: number, width: number) => readonly number[]): Dense {
  const { rows, width } = rowsOf(x);
  return dense(x.shape, Float64Array.from(Array.from({ length: rows }, (_, row) => rowOf(row * width, width)).flat()));
}

/** Mean and 1/σ of a row: four operations for each of its numbers, and five for the row. */
function statistics(c: Counter, x: Dense, start: number, width: number, eps: number) {
  const sum = c.sum(width, (i) => at(x, start + i));
  const mean = c.aside.div(sum, width);
  const centred: number[] = [];
  let squares = 0;
  for (let i = 0; i < width; i++) {
    const d = c.sub(at(x, start + i), mean);
    squares = c.fma(d, d, squares);
    centred.push(d);
  }
  const { aside } = c;
  const inverse = aside.div(1, aside.sqrt(aside.add(aside.div(squares, width), eps)));
  return { mean, centred, inverse };
}

/** (h − mean(h) − x̂ · mean(h · x̂)) / σ of a row. */
function normalizedGradient(c: Counter, h: readonly number[], unit: readonly number[], inverse: number): number[] {
  const width = h.length;
  const of = (list: readonly number[]) => (i: number) => list[i] ?? Number.NaN;
  const mean = c.aside.div(c.sum(width, of(h)), width);
  const meanProduct = c.aside.div(c.dot(width, of(h), of(unit)), width);
  return h.map((value, i) => c.mul(c.fma(-of(unit)(i), meanProduct, c.sub(value, mean)), inverse));
}

function sumOver(c: Counter, shape: Shape, count: number, termAt: (place: number, term: number) => number): Dense {
  return fill(shape, (place) => c.sum(count, (term) => termAt(place, term)));
}

const sumRows = (c: Counter, x: Dense): Dense => {
  const { rows, width } = rowsOf(x);
  return sumOver(c, [width], rows, (column, row) => at(x, row * width + column));
};

/** x with a smaller tensor repeated along its first axes. */
const addRepeated = (c: Counter, x: Dense, small: Dense): Dense =>
  fill(x.shape, (i) => c.add(at(x, i), at(small, i % small.data.length)));

function meanOf(c: Counter, prediction: Dense, target: Dense, add: (sum: number, d: number) => number): Dense {
  let sum = 0;
  for (let i = 0; i < prediction.data.length; i++) sum = add(sum, c.sub(at(prediction, i), at(target, i)));
  return fill([], () => c.aside.div(sum, prediction.data.length));
}

/** Total: an op without a counted program does not compile. */
export const countingOps: { readonly [K in OpName]: Counted<K> } = {
  normalizePixels: (c, [images, mean, std]) => {
    const plane = axis(images, 2) * axis(images, 3);
    return fill(images.shape, (i) => {
      const channel = Math.floor(i / plane) % axis(images, 1);
      return c.div(c.sub(c.div(at(images, i), 255), at(mean, channel)), at(std, channel));
    });
  },
  patchify: "moves",
  gatherTokens: "moves",
  scatterTokens: (c, [gradient, index], _, [shape = []]) => {
    const out = new Float64Array(sizeOf(shape));
    const [images = 0, tokens = 0, width = 0] = shape;
    gradient.data.forEach((value, i) => {
      const place = Math.floor(i / width);
      const image = Math.floor(place / axis(index, 1)) % images;
      const to = (image * tokens + at(index, place)) * width + (i % width);
      out[to] = c.add(out[to] ?? Number.NaN, value);
    });
    return dense(shape, out);
  },
  gatherRows: "moves",
  concatTokens: "moves",
  sliceTokens: "moves",
  padTokens: "moves",
  sliceColumns: "moves",
  padColumns: "moves",
  tileBatch: "moves",
  sumTiles: (c, [x], { copies }, [shape = []]) =>
    sumOver(c, shape, copies, (i, copy) => at(x, copy * sizeOf(shape) + i)),
  splitBlocks: "moves",
  joinBlocks: (c, [x], { copies, images, tokens: all }, [shape = []]) => {
    const [, tokens = 0, width = 0] = x.shape;
    return sumOver(c, shape, copies, (i, copy) => {
      const place = Math.floor(i / width) % all;
      const row = (Math.floor(place / tokens) * copies + copy) * images + Math.floor(i / width / all);
      return at(x, (row * tokens + (place % tokens)) * width + (i % width));
    });
  },
  meanTokens: (c, [x], _, [shape = []]) => {
    const [, tokens = 0, width = 0] = x.shape;
    const sums = sumOver(c, shape, tokens, (i, token) =>
      at(x, (Math.floor(i / width) * tokens + token) * width + (i % width)),
    );
    return fill(shape, (i) => c.aside.div(at(sums, i), tokens));
  },
  spreadTokens: (c, [gradient], { tokens }, [shape = []]) => {
    const width = axis(gradient, -1);
    return fill(shape, (i) => c.div(at(gradient, Math.floor(i / width / tokens) * width + (i % width)), tokens));
  },

  linear: (c, [x, weight, bias], _, [shape]) =>
    shaped(
      shape,
      product(c, plain(asRows(x)), plain(weight), (column) => at(bias, column)),
    ),
  linearGradInput: (c, [gradient, weight], _, [shape]) =>
    shaped(shape, product(c, plain(asRows(gradient)), transposed(weight))),
  linearGradWeight: (c, [x, gradient]) => product(c, transposed(asRows(x)), plain(asRows(gradient))),
  sumRows: (c, [x]) => sumRows(c, x),
  // The row is read a third time instead of kept: its difference from the mean is taken twice.
  layerNorm: (c, [x, gain, bias], { eps }) =>
    byRow(x, (start, width) => {
      const { mean, inverse } = statistics(c, x, start, width, eps);
      return Array.from({ length: width }, (_, i) =>
        c.fma(c.mul(c.sub(at(x, start + i), mean), inverse), at(gain, i), at(bias, i)),
      );
    }),
  layerNormGrad: (c, [gradient, x, gain], { eps }) => {
    const units: number[] = [];
    const dx = byRow(x, (start, width) => {
      const { centred, inverse } = statistics(c, x, start, width, eps);
      const unit = centred.map((value) => c.mul(value, inverse));
      units.push(...unit);
      const h = unit.map((_, i) => c.mul(at(gradient, start + i), at(gain, i)));
      return normalizedGradient(c, h, unit, inverse);
    });
    const { rows, width } = rowsOf(x);
    const place = (row: number, column: number): number => row * width + column;
    const dGain = fill([width], (column) =>
      c.dot(
        rows,
        (row) => at(gradient, place(row, column)),
        (row) => units[place(row, column)] ?? Number.NaN,
      ),
    );
    return [dx, dGain, sumRows(c, gradient)];
  },
  normalize: (c, [x], { eps }) =>
    byRow(x, (start, width) => {
      const { mean, inverse } = statistics(c, x, start, width, eps);
      return Array.from({ length: width }, (_, i) => c.mul(c.sub(at(x, start + i), mean), inverse));
    }),
  normalizeGrad: (c, [gradient, x], { eps }) =>
    byRow(x, (start, width) => {
      const { centred, inverse } = statistics(c, x, start, width, eps);
      const unit = centred.map((value) => c.mul(value, inverse));
      return normalizedGradient(c, [...gradient.data.subarray(start, start + width)], unit, inverse);
    }),
  gelu: (c, [x]) => fill(x.shape, (i) => c.mul(at(x, i), c.mul(0.5, c.add(1, c.erf(c.mul(at(x, i), Math.SQRT1_2)))))),
  geluGrad: (c, [gradient, x]) =>
    fill(x.shape, (i) => {
      const t = c.mul(at(x, i), Math.SQRT1_2);
      const probability = c.mul(0.5, c.add(1, c.erf(t)));
      const density = c.exp(-c.mul(t, t));
      const byX = c.fma(c.mul(at(x, i), 1 / Math.sqrt(2 * Math.PI)), density, probability);
      return c.mul(at(gradient, i), byX);
    }),

  splitHeads: "moves",
  joinHeads: "moves",
  mergeHeads: "moves",
  unmergeHeads: "moves",
  matmul: (c, [a, b], { scale }) => scaled(c.aside, product(c, plain(a), plain(b)), scale),
  matmulNT: (c, [a, b], { scale }) => scaled(c.aside, product(c, plain(a), transposed(b)), scale),
  matmulTN: (c, [a, b], { scale }) => scaled(c.aside, product(c, transposed(a), plain(b)), scale),
  softmax: (c, [x]) =>
    byRow(x, (start, width) => {
      let top = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < width; i++) top = c.max(top, at(x, start + i));
      const raised = Array.from({ length: width }, (_, i) => c.exp(c.sub(at(x, start + i), top)));
      const sum = c.sum(width, (i) => raised[i] ?? Number.NaN);
      return raised.map((value) => c.div(value, sum));
    }),
  softmaxGrad: (c, [gradient, y]) =>
    byRow(y, (start, width) => {
      const sum = c.dot(
        width,
        (i) => at(gradient, start + i),
        (i) => at(y, start + i),
      );
      return Array.from({ length: width }, (_, i) => c.mul(at(y, start + i), c.sub(at(gradient, start + i), sum)));
    }),

  add: (c, [a, b]) => fill(a.shape, (i) => c.add(at(a, i), at(b, i))),
  addVector: (c, [x, vector]) => addRepeated(c, x, vector),
  addTable: (c, [x, table]) => addRepeated(c, x, table),
  sumBatch: (c, [x], _, [shape = []]) => sumOver(c, shape, axis(x, 0), (i, image) => at(x, image * sizeOf(shape) + i)),
  scale: (c, [x], { by }) => scaled(c, x, by),
  scaleBy: (c, [x, factor]) => scaled(c, x, at(factor, 0)),
  scaleRows: (c, [x, factor]) =>
    fill(x.shape, (i) => c.mul(at(x, i), at(factor, Math.floor((i * axis(x, 0)) / x.data.length)))),
  one: () => fill([], () => 1),

  toBf16: "moves",
  toF32: "moves",

  smoothL1: (c, [prediction, target], { beta }) =>
    meanOf(c, prediction, target, (sum, d) => {
      const distance = Math.abs(d);
      return c.add(sum, c.isBelow(distance, beta) ? c.mul(0.5 / beta, c.mul(d, d)) : c.sub(distance, 0.5 * beta));
    }),
  smoothL1Grad: (c, [prediction, target], { beta }) => {
    const count = beta * target.data.length;
    return fill(target.shape, (i) => c.div(c.min(beta, c.max(-beta, c.sub(at(prediction, i), at(target, i)))), count));
  },
  mse: (c, [prediction, target]) => meanOf(c, prediction, target, (sum, d) => c.fma(d, d, sum)),
  mseGrad: (c, [prediction, target]) => {
    const factor = c.aside.div(2, target.data.length);
    return fill(target.shape, (i) => c.mul(c.sub(at(prediction, i), at(target, i)), factor));
  },
  l1: (c, [prediction, target]) => meanOf(c, prediction, target, (sum, d) => c.add(sum, Math.abs(d))),
  l1Grad: (c, [prediction, target]) => {
    const factor = c.aside.div(1, target.data.length);
    return fill(target.shape, (i) => c.mul(Math.sign(c.sub(at(prediction, i), at(target, i))), factor));
  },
  varianceTerm: (c, [x], { weight, gamma, eps }) => {
    const { width, deviation } = columns(c, x, eps);
    let sum = 0;
    for (let d = 0; d < width; d++) sum = c.aside.add(sum, c.aside.max(0, c.aside.sub(gamma, deviation(d))));
    return fill([], () => c.aside.div(c.aside.mul(weight, sum), width));
  },
  varianceTermGrad: (c, [x], { weight, gamma, eps }) => {
    const { rows, width, less, deviation } = columns(c, x, eps);
    const factors = Array.from({ length: width }, (_, d) =>
      deviation(d) < gamma ? -weight / (width * (rows - 1) * deviation(d)) : 0,
    );
    return fill(x.shape, (i) => c.mul(at(less, i), factors[i % width] ?? 0));
  },
  covarianceTerm: (c, [x], { weight }) => {
    const { rows, width, less } = centred(c, x);
    const all = product(c, { x: less, transposed: true }, { x: less, transposed: false });
    let sum = 0;
    all.data.forEach((value, i) => {
      const covariance = value / (rows - 1);
      if (Math.floor(i / width) !== i % width) sum = c.fma(covariance, covariance, sum);
    });
    return fill([], () => c.aside.div(c.aside.mul(weight, sum), width));
  },
  covarianceTermGrad: (c, [x], { weight }) => {
    const { rows, width, less } = centred(c, x);
    const all = product(c, { x: less, transposed: true }, { x: less, transposed: false });
    const scale = (4 * weight) / (width * (rows - 1) ** 2);
    const others = fill(all.shape, (i) => (Math.floor(i / width) === i % width ? 0 : scale * at(all, i)));
    return product(c, { x: less, transposed: false }, { x: others, transposed: false });
  },

  allReduce: "moves",
  shard: "moves",
  allGather: "moves",
  globalNorm: (c, tensors) => {
    let sum = 0;
    for (const { data } of tensors) for (const value of data) sum = c.fma(value, value, sum);
    return fill([], () => c.aside.sqrt(sum));
  },
  clipFactor: (c, [norm], { max }) => fill([], () => c.min(1, c.div(max, c.add(at(norm, 0), 1e-6)))),
  adamw: (c, [weight, gradient, m, v, stepSize, secondMoment, decayFactor], { beta1, beta2, eps, decay }) => {
    const nextM = fill(m.shape, (i) => c.fma(beta1, at(m, i), c.mul(1 - beta1, at(gradient, i))));
    const nextV = fill(v.shape, (i) =>
      c.fma(beta2, at(v, i), c.mul(1 - beta2, c.mul(at(gradient, i), at(gradient, i)))),
    );
    const next = fill(weight.shape, (i) => {
      const root = c.sqrt(at(nextV, i));
      const deviation = c.fma(root, at(secondMoment, 0), eps);
      const kept = decay ? c.mul(at(weight, i), at(decayFactor, 0)) : at(weight, i);
      return c.sub(kept, c.div(c.mul(at(stepSize, 0), at(nextM, i)), deviation));
    });
    return [next, nextM, nextV];
  },
  ema: (c, [target, weight, keep, take]) =>
    fill(target.shape, (i) => c.fma(at(keep, 0), at(target, i), c.mul(at(take, 0), at(weight, i)))),
};
