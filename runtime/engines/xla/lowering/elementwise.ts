/** Lowerings of elementwise ops, losses and the update. */

import { onlyShard } from "../../one-device";
import type { KernelTable } from "../../table";
import type { Builder, Value } from "../builder";

type ElementwiseOp =
  | "add"
  | "addVector"
  | "addTable"
  | "sumBatch"
  | "allReduce"
  | "shard"
  | "allGather"
  | "scale"
  | "scaleBy"
  | "scaleRows"
  | "one"
  | "toBf16"
  | "toF32"
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
  | "clipFactor"
  | "adamw"
  | "ema";

const countOf = ({ shape }: Value): number => shape.reduce((a, b) => a * b, 1);

function sumAll(b: Builder, x: Value): Value {
  return b.reduce(
    "add",
    x,
    x.shape.map((_, i) => i),
  );
}

const meanOf = (b: Builder, x: Value): Value => b.times(sumAll(b, x), 1 / countOf(x));

const clamp = (b: Builder, x: Value, most: number): Value =>
  b.binary("minimum", b.binary("maximum", x, b.scalar(-most)), b.scalar(most));

/** Features [rows, D] less the means of their columns, with variances [D] and covariances [D, D] by rows − 1. */
function statistics(b: Builder, x: Value) {
  const [rows = 1, width = 1] = x.shape;
  const mean = b.times(b.reduce("add", x, [0]), 1 / rows);
  const less = b.sub(x, b.atLast(mean, x.shape));
  return {
    rows,
    width,
    less,
    variance: () => b.times(b.reduce("add", b.mul(less, less), [0]), 1 / (rows - 1)),
    covariance: () => b.times(b.dot(less, less, { contract: [[0], [0]] }), 1 / (rows - 1)),
  };
}

const deviationOf = (b: Builder, variance: Value, eps: number): Value =>
  b.unary("sqrt", b.add(variance, b.scalar(eps)));

export const elementwiseLowerings: KernelTable<Builder, Value, Value, ElementwiseOp> = {
  add: (b, [x, y]) => b.add(x, y),
  addVector: (b, [x, vector]) => b.add(x, b.atLast(vector, x.shape)),
  addTable: (b, [x, table]) => b.add(x, b.atLast(table, x.shape)),
  sumBatch: (b, [x]) => b.reduce("add", x, [0]),
  // Over the devices of this program; where others have programs of their own, program.ts cuts behind it.
  allReduce: (b, [x]) => b.meanOverReplicas(x),
  // Of one device: the rules of a spec allow no more (compiler/spec/hardware-rules.ts).
  shard: (b, [x], { length }) => b.reshape(x, onlyShard(x, length)),
  allGather: (b, [shard, like]) => b.reshape(shard, like.shape),
  scale: (b, [x], { by }) => b.times(x, by),
  scaleBy: (b, [x, factor]) => b.mul(x, factor),
  scaleRows: (b, [x, factor]) => b.mul(x, b.atFirst(factor, x.shape)),
  one: (b) => b.scalar(1),

  // StableHLO rounds to the nearest, ties to even.
  toBf16: (b, [x]) => b.convert(x, "bf16"),
  toF32: (b, [x]) => b.convert(x, "f32"),

  // ½c²/β + |d| − |c| with c = clip(d, −β, β): ½d²/β within, |d| − ½β beyond.
  smoothL1: (b, [prediction, target], { beta }) => {
    const d = b.sub(prediction, target);
    const c = clamp(b, d, beta);
    const beyond = b.sub(b.unary("abs", d), b.unary("abs", c));
    return meanOf(b, b.add(b.times(b.mul(c, c), 0.5 / beta), beyond));
  },
  smoothL1Grad: (b, [prediction, target], { beta }) =>
    b.times(clamp(b, b.sub(prediction, target), beta), 1 / (beta * countOf(prediction))),
  mse: (b, [prediction, target]) => {
    const d = b.sub(prediction, target);
    return meanOf(b, b.mul(d, d));
  },
  mseGrad: (b, [prediction, target]) => b.times(b.sub(prediction, target), 2 / countOf(prediction)),
  l1: (b, [prediction, target]) => meanOf(b, b.unary("abs", b.sub(prediction, target))),
  l1Grad: (b, [prediction, target]) => b.times(b.unary("sign", b.sub(prediction, target)), 1 / countOf(prediction)),

  varianceTerm: (b, [x], { weight, gamma, eps }) => {
    const { width, variance } = statistics(b, x);
    const hinge = b.binary("maximum", b.scalar(0), b.sub(b.scalar(gamma), deviationOf(b, variance(), eps)));
    return b.times(sumAll(b, hinge), weight / width);
  },
  varianceTermGrad: (b, [x], { weight, gamma, eps }) => {
    const { rows, width, less, variance } = statistics(b, x);
    const deviation = deviationOf(b, variance(), eps);
    const slope = b.div(b.scalar(-weight / (width * (rows - 1))), deviation);
    const isBelow = b.less(deviation, b.filled(gamma, deviation.shape));
    const factor = b.select(isBelow, slope, b.filled(0, deviation.shape));
    return b.mul(less, b.atLast(factor, x.shape));
  },
  // The squares of all covariances less those of the variances.
  covarianceTerm: (b, [x], { weight }) => {
    const { width, variance, covariance } = statistics(b, x);
    const [all, own] = [covariance(), variance()];
    return b.times(b.sub(sumAll(b, b.mul(all, all)), sumAll(b, b.mul(own, own))), weight / width);
  },
  covarianceTermGrad: (b, [x], { weight }) => {
    const { rows, width, less, variance, covariance } = statistics(b, x);
    const all = b.dot(less, covariance(), { contract: [[1], [0]] });
    const own = b.mul(less, b.atLast(variance(), x.shape));
    return b.times(b.sub(all, own), (4 * weight) / (width * (rows - 1)));
  },

  globalNorm: (b, tensors) => {
    const sums = tensors.map((x) => sumAll(b, b.mul(x, x)));
    return b.unary(
      "sqrt",
      sums.reduce((total, sum) => b.add(total, sum), b.scalar(0)),
    );
  },
  clipFactor: (b, [norm], { max }) =>
    b.binary("minimum", b.scalar(1), b.div(b.scalar(max), b.add(norm, b.scalar(1e-6)))),

  adamw: (b, [weight, gradient, m, v, stepSize, secondMoment, decayFactor], { beta1, beta2, eps, decay }) => {
    const nextM = b.add(b.times(m, beta1), b.times(gradient, 1 - beta1));
    const nextV = b.add(b.times(v, beta2), b.times(b.mul(gradient, gradient), 1 - beta2));
    const deviation = b.add(b.mul(b.unary("sqrt", nextV), secondMoment), b.scalar(eps));
    const kept = decay ? b.mul(weight, decayFactor) : weight;
    return [b.sub(kept, b.mul(b.div(nextM, deviation), stepSize)), nextM, nextV];
  },
  ema: (b, [target, weight, keep, take]) => b.add(b.mul(target, keep), b.mul(weight, take)),
};
