/** Lowerings of the elementwise ops, their sums, and the losses. */
import type { KernelTable } from "../../table";
import { productOf } from "../dims";
import type { Value } from "../graph";
import { SMALL_ELEMENTS } from "../layout";
import type { Handle, Recorder } from "../recorder";

type ElementwiseOp =
  | "add"
  | "addVector"
  | "addTable"
  | "sumBatch"
  | "scale"
  | "scaleBy"
  | "scaleRows"
  | "one"
  | "smoothL1"
  | "smoothL1Grad"
  | "mse"
  | "mseGrad"
  | "l1"
  | "l1Grad"
  | "varianceTerm"
  | "varianceTermGrad"
  | "covarianceTerm"
  | "covarianceTermGrad"
  | "globalNorm"
  | "clipFactor";

function difference(r: Recorder, prediction: Handle, target: Handle): Value {
  const [p, t] = r.alike(prediction, target);
  if (!p || !t) throw new Error("internal: two inputs");
  return r.sub(p, t);
}

/** c = clip(d, −β, β): smooth L1 is c·(d − c/2)/β, its derivative is c/β. */
function clipped(r: Recorder, d: Value, beta: number): Value {
  return r.clip(d, r.graph.scalar(-beta), r.graph.scalar(beta));
}

/** Mean over everything, axis by axis: one long sum in float32 would lose digits with its length. */
function meanOf(r: Recorder, x: Value): Value {
  return x.dims.reduce((mean: Value) => r.reduce("ReduceMean", mean, [-1], false), x);
}

/** Features [rows, D] less the means of their columns, and the variances of those, [D]. */
function centred(r: Recorder, x: Handle) {
  const features = r.rows(x);
  const [rows, width] = features.dims.map(Number);
  if (rows === undefined || width === undefined || !Number.isInteger(rows)) {
    throw new Error("internal: statistics over a batch of no fixed size");
  }
  const mean = r.times(r.sumOfRows(features), 1 / rows);
  const less = r.sub(features, mean);
  const variance = r.times(r.sumOfRows(r.mul(less, less)), 1 / (rows - 1));
  return { rows, width, less, variance };
}

const deviationOf = (r: Recorder, variance: Value, eps: number): Value =>
  r.unary("Sqrt", r.add(variance, r.graph.scalar(eps)));

const sumOfSquares = (r: Recorder, x: Value): Value =>
  r.reduce(
    "ReduceSum",
    r.mul(x, x),
    x.dims.map((_, i) => i),
    false,
  );

const flatSize = ({ dims }: Value): number => Number(dims[0]);

/** Flat values as one, if there are several. */
function joined(r: Recorder, values: readonly Value[]): readonly Value[] {
  if (values.length < 2) return values;
  const size = values.reduce((sum, value) => sum + flatSize(value), 0);
  return [r.graph.one("Concat", values, [size], { axis: { int: 0 } })];
}

/**
 * Where a provider has no Sign: the largest numbers below infinity, clipped. Clipped before it is multiplied, since shaders
 * promise nothing of infinity.
 */
export const signsByClipping: Pick<KernelTable<Recorder, Handle, Value>, "l1Grad"> = {
  l1Grad: (r, [prediction, target]) => {
    const d = clipped(r, difference(r, prediction, target), 1);
    return r.mul(clipped(r, r.times(d, 1e38), 1), r.perCount(1, d.dims));
  },
};

export const elementwiseLowerings: KernelTable<Recorder, Handle, Value, ElementwiseOp> = {
  add: (r, [a, b]) => {
    const [x, y] = r.alike(a, b);
    if (!x || !y) throw new Error("internal: two inputs");
    return r.add(x, y);
  },
  addVector: (r, [x, vector]) => r.add(r.rows(x), r.full(vector)),
  addTable: (r, [x, table]) => r.add(r.full(x), r.full(table)),
  sumBatch: (r, [x]) => {
    const [batch = 0, tokens = 0, width = 0] = x.shape;
    const inner = [r.dim(tokens), width];
    return r.reshape(r.sumOfRows(r.reshape(x.value, [batch, productOf(inner)])), inner);
  },
  scale: (r, [x], { by }) => r.times(x.value, by),
  scaleBy: (r, [x, factor]) => r.mul(x.value, r.full(factor)),
  scaleRows: (r, [x, factor]) => {
    const full = r.full(x);
    const column = [full.dims[0] ?? 1, ...full.dims.slice(1).map(() => 1)];
    return r.mul(full, r.reshape(factor.value, column));
  },
  one: (r) => r.graph.scalar(1),

  smoothL1: (r, [prediction, target], { beta }) => {
    const d = difference(r, prediction, target);
    const c = clipped(r, d, beta);
    return r.times(meanOf(r, r.mul(c, r.sub(d, r.times(c, 0.5)))), 1 / beta);
  },
  smoothL1Grad: (r, [prediction, target], { beta }) => {
    const d = difference(r, prediction, target);
    return r.mul(clipped(r, d, beta), r.perCount(1 / beta, d.dims));
  },
  mse: (r, [prediction, target]) => {
    const d = difference(r, prediction, target);
    return meanOf(r, r.mul(d, d));
  },
  mseGrad: (r, [prediction, target]) => {
    const d = difference(r, prediction, target);
    return r.mul(d, r.perCount(2, d.dims));
  },
  l1: (r, [prediction, target]) => meanOf(r, r.unary("Abs", difference(r, prediction, target))),
  l1Grad: (r, [prediction, target]) => {
    const d = difference(r, prediction, target);
    return r.mul(r.unary("Sign", d), r.perCount(1, d.dims));
  },

  varianceTerm: (r, [x], { weight, gamma, eps }) => {
    const { width, variance } = centred(r, x);
    const short = r.clip(deviationOf(r, variance, eps), null, r.graph.scalar(gamma));
    const hinge = r.sub(r.graph.scalar(gamma), short);
    return r.times(r.reduce("ReduceSum", hinge, [0], false), weight / width);
  },
  varianceTermGrad: (r, [x], { weight, gamma, eps }) => {
    const { rows, width, less, variance } = centred(r, x);
    const deviation = deviationOf(r, variance, eps);
    const upToOne = (x: Value): Value => r.clip(x, r.graph.scalar(0), r.graph.scalar(1));
    // 1 where the deviation falls short, else 0: not every provider has Sign. Clipped first, so that nothing overflows.
    const isShort = upToOne(r.times(upToOne(r.sub(r.graph.scalar(gamma), deviation)), 1e38));
    const factor = r.div(r.times(isShort, -weight / (width * (rows - 1))), deviation);
    return r.mul(less, factor);
  },
  // The squares of all covariances less those of the variances.
  covarianceTerm: (r, [x], { weight }) => {
    const { rows, width, less, variance } = centred(r, x);
    const covariance = r.gemm(less, less, { transA: true, alpha: 1 / (rows - 1) });
    return r.times(r.sub(sumOfSquares(r, covariance), sumOfSquares(r, variance)), weight / width);
  },
  covarianceTermGrad: (r, [x], { weight }) => {
    const { rows, width, less, variance } = centred(r, x);
    const covariance = r.gemm(less, less, { transA: true, alpha: 1 / (rows - 1) });
    const others = r.sub(r.gemm(less, covariance), r.mul(less, variance));
    return r.times(others, (4 * weight) / (width * (rows - 1)));
  },

  globalNorm: (r, tensors) => {
    const flat = tensors.map(({ value }) => r.reshape(value, [productOf(value.dims)]));
    const isSmall = (x: Value): boolean => flatSize(x) <= SMALL_ELEMENTS;
    // Small tensors lie side by side first: the cost of a node outweighs that of its numbers.
    const parts = [...flat.filter((x) => !isSmall(x)), ...joined(r, flat.filter(isSmall))];
    const squares = parts.map((x) => r.reduce("ReduceSum", r.mul(x, x), [0], true));
    const all = r.graph.one("Concat", squares, [squares.length], { axis: { int: 0 } });
    return r.unary("Sqrt", r.reduce("ReduceSum", all, [0], false));
  },
  clipFactor: (r, [norm], { max }) => {
    const ratio = r.div(r.graph.scalar(max), r.add(r.full(norm), r.graph.scalar(1e-6)));
    return r.clip(ratio, null, r.graph.scalar(1));
  },
};
