/** Elementwise ops, casts, losses, and the update. */
import { onlyShard } from "../one-device";
import type { KernelTable } from "../table";
import { toBfloat16 } from "./bfloat16";
import { covarianceOf } from "./covariance";
import { at, axis, type Dense, dense, fill, sizeOf } from "./tensor";

type ElementwiseOp =
  | "add"
  | "addVector"
  | "addTable"
  | "sumBatch"
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
  | "allReduce"
  | "shard"
  | "allGather"
  | "globalNorm"
  | "clipFactor"
  | "adamw"
  | "ema";

/** Mean over all elements of a function of prediction − target. */
function meanOf(prediction: Dense, target: Dense, value: (d: number) => number): Dense {
  let sum = 0;
  for (let i = 0; i < prediction.data.length; i++) sum += value(at(prediction, i) - at(target, i));
  return fill([], () => sum / prediction.data.length);
}

/** A function of prediction − target, divided by the number of elements. */
function perElement(prediction: Dense, target: Dense, value: (d: number) => number): Dense {
  return fill(prediction.shape, (i) => value(at(prediction, i) - at(target, i)) / prediction.data.length);
}

/** x with a smaller tensor repeated along its first axes. */
function addRepeated(x: Dense, small: Dense): Dense {
  return fill(x.shape, (i) => at(x, i) + at(small, i % small.data.length));
}

export const elementwiseKernels: KernelTable<null, Dense, Dense, ElementwiseOp> = {
  add: (_, [a, b]) => fill(a.shape, (i) => at(a, i) + at(b, i)),
  addVector: (_, [x, vector]) => addRepeated(x, vector),
  addTable: (_, [x, table]) => addRepeated(x, table),
  sumBatch: (_, [x]) => {
    const shape = x.shape.slice(1);
    const size = sizeOf(shape);
    return fill(shape, (i) => {
      let sum = 0;
      for (let image = 0; image < axis(x, 0); image++) sum += at(x, image * size + i);
      return sum;
    });
  },
  scale: (_, [x], { by }) => fill(x.shape, (i) => at(x, i) * by),
  scaleBy: (_, [x, factor]) => fill(x.shape, (i) => at(x, i) * at(factor, 0)),
  scaleRows: (_, [x, factor]) => {
    const size = sizeOf(x.shape.slice(1));
    return fill(x.shape, (i) => at(x, i) * at(factor, Math.floor(i / size)));
  },
  one: () => fill([], () => 1),

  toBf16: (_, [x]) => dense(x.shape, x.data.map(toBfloat16), "bf16"),
  toF32: (_, [x]) => dense(x.shape, x.data),

  smoothL1: (_, [prediction, target], { beta }) =>
    meanOf(prediction, target, (d) => (Math.abs(d) < beta ? (0.5 * d * d) / beta : Math.abs(d) - 0.5 * beta)),
  smoothL1Grad: (_, [prediction, target], { beta }) =>
    perElement(prediction, target, (d) => Math.min(beta, Math.max(-beta, d)) / beta),
  mse: (_, [prediction, target]) => meanOf(prediction, target, (d) => d * d),
  mseGrad: (_, [prediction, target]) => perElement(prediction, target, (d) => 2 * d),
  l1: (_, [prediction, target]) => meanOf(prediction, target, Math.abs),
  l1Grad: (_, [prediction, target]) => perElement(prediction, target, Math.sign),

  varianceTerm: (_, [x], { weight, gamma, eps }) => {
    const { width, cov } = covarianceOf(x);
    let sum = 0;
    for (let d = 0; d < width; d++) sum += Math.max(0, gamma - Math.sqrt(cov(d, d) + eps));
    return fill([], () => (weight * sum) / width);
  },
  varianceTermGrad: (_, [x], { weight, gamma, eps }) => {
    const { rows, width, centred, cov } = covarianceOf(x);
    const deviations = Array.from({ length: width }, (_, d) => Math.sqrt(cov(d, d) + eps));
    return fill(x.shape, (i) => {
      const deviation = deviations[i % width] ?? 0;
      return deviation < gamma ? (-weight * at(centred, i)) / (width * (rows - 1) * deviation) : 0;
    });
  },
  covarianceTerm: (_, [x], { weight }) => {
    const { width, cov } = covarianceOf(x);
    let sum = 0;
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) if (i !== j) sum += cov(i, j) ** 2;
    return fill([], () => (weight * sum) / width);
  },
  covarianceTermGrad: (_, [x], { weight }) => {
    const { rows, width, centred, cov } = covarianceOf(x);
    return fill(x.shape, (i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      let sum = 0;
      for (let d = 0; d < width; d++) if (d !== column) sum += at(centred, row * width + d) * cov(d, column);
      return (4 * weight * sum) / (width * (rows - 1));
    });
  },

  // Of one device; where there are more, the engine puts their mean here (engine.ts).
  // Of one device; those of several meet in meetings.ts.
  allReduce: (_, [x]) => x,
  shard: (_, [x], { length }) => dense(onlyShard(x, length), x.data),
  allGather: (_, [shard, like]) => dense(like.shape, shard.data),
  globalNorm: (_, tensors) => {
    let sum = 0;
    for (const tensor of tensors) for (const value of tensor.data) sum += value * value;
    return fill([], () => Math.sqrt(sum));
  },
  clipFactor: (_, [norm], { max }) => fill([], () => Math.min(1, max / (at(norm, 0) + 1e-6))),

  adamw: (_, [weight, gradient, m, v, stepSize, secondMoment, decayFactor], { beta1, beta2, eps, decay }) => {
    const nextM = fill(m.shape, (i) => beta1 * at(m, i) + (1 - beta1) * at(gradient, i));
    const nextV = fill(v.shape, (i) => beta2 * at(v, i) + (1 - beta2) * at(gradient, i) ** 2);
    const kept = decay ? at(decayFactor, 0) : 1;
    const next = fill(weight.shape, (i) => {
      const deviation = Math.sqrt(at(nextV, i)) * at(secondMoment, 0) + eps;
      return at(weight, i) * kept - (at(stepSize, 0) * at(nextM, i)) / deviation;
    });
    return [next, nextM, nextV];
  },
  ema: (_, [target, weight, keep, take]) =>
    fill(target.shape, (i) => at(keep, 0) * at(target, i) + at(take, 0) * at(weight, i)),
};
