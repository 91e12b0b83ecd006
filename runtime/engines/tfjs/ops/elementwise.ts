/** Elementwise ops, losses, and the update. */
import { onlyShard } from "../../one-device";
import type { KernelTable } from "../../table";
import type { Tensor } from "../core";
import type { Kernels } from "../kernels";
import { ADAMW, EMA } from "../own-kernels";
import { product, sumFirst } from "../product";

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
  | "allReduce"
  | "shard"
  | "allGather"
  | "globalNorm"
  | "clipFactor"
  | "adamw"
  | "ema";

/** Beyond so many elements fourteen kernels of wasm are faster than a loop of JavaScript: bench/tfjs-kernels.ts. */
const SMALL_ELEMENTS = 8_192;

function hasOwnUpdate(k: Kernels, weight: Tensor): boolean {
  return k.backend === "cpu" || (k.backend === "wasm" && weight.size <= SMALL_ELEMENTS);
}

const deviationOf = (k: Kernels, variance: Tensor, eps: number): Tensor => k.unary("Sqrt", k.add(variance, eps));

/** Columns of [rows, D] less their means; read `readers` times. */
function centred(k: Kernels, x: Tensor, readers: number): Tensor {
  const mean = k.mul(sumFirst(k, x), 1 / (x.shape[0] ?? 1));
  return k.shared(readers, k.sub(x, mean));
}

const varianceOf = (k: Kernels, less: Tensor): Tensor =>
  k.mul(sumFirst(k, k.unary("Square", less)), 1 / ((less.shape[0] ?? 1) - 1));

const covarianceOf = (k: Kernels, less: Tensor): Tensor =>
  k.mul(product(k, less, less, { a: true }), 1 / ((less.shape[0] ?? 1) - 1));

export const elementwiseOps: KernelTable<Kernels, Tensor, Tensor, ElementwiseOp> = {
  add: (k, [a, b]) => k.add(a, b),
  addVector: (k, [x, vector]) => k.add(x, vector),
  addTable: (k, [x, table]) => k.add(x, table),
  sumBatch: (k, [x], _, [shape = []]) => {
    const images = x.shape[0] ?? 1;
    return k.reshape(sumFirst(k, k.reshape(x, [images, x.size / images])), shape);
  },
  scale: (k, [x], { by }) => k.mul(x, by),
  scaleBy: (k, [x, factor]) => k.mul(x, factor),
  scaleRows: (k, [x, factor]) => k.mul(x, k.reshape(factor, [factor.size, ...x.shape.slice(1).map(() => 1)])),
  one: (k) => k.scalar(1),

  // With c = clip(d, −β, β), c · (d − ½c) / β is ½d²/β inside and |d| − ½β outside.
  smoothL1: (k, [prediction, target], { beta }) => {
    const d = k.shared(2, k.sub(prediction, target));
    const c = k.shared(2, k.clip(d, -beta, beta));
    const less = k.sub(d, k.mul(c, 0.5));
    return k.mul(k.sumAll(k.mul(c, less)), 1 / (beta * prediction.size));
  },
  smoothL1Grad: (k, [prediction, target], { beta }) =>
    k.mul(k.clip(k.sub(prediction, target), -beta, beta), 1 / (beta * prediction.size)),
  mse: (k, [prediction, target]) => k.mul(k.sumAll(k.unary("Square", k.sub(prediction, target))), 1 / prediction.size),
  mseGrad: (k, [prediction, target]) => k.mul(k.sub(prediction, target), 2 / prediction.size),
  l1: (k, [prediction, target]) => k.mul(k.sumAll(k.unary("Abs", k.sub(prediction, target))), 1 / prediction.size),
  l1Grad: (k, [prediction, target]) => k.mul(k.unary("Sign", k.sub(prediction, target)), 1 / prediction.size),

  varianceTerm: (k, [x], { weight, gamma, eps }) => {
    const deviation = deviationOf(k, varianceOf(k, centred(k, x, 1)), eps);
    const hinge = k.sub(k.scalar(gamma), k.clip(deviation, 0, gamma));
    return k.mul(k.sumAll(hinge), weight / (x.shape[1] ?? 1));
  },
  varianceTermGrad: (k, [x], { weight, gamma, eps }) => {
    const [rows = 1, width = 1] = x.shape;
    const less = centred(k, x, 2);
    const deviation = k.shared(2, deviationOf(k, varianceOf(k, less), eps));
    const isBelow = k.unary("Sign", k.clip(k.sub(k.scalar(gamma), deviation), 0, 1));
    return k.mul(less, k.div(k.mul(isBelow, -weight / (width * (rows - 1))), deviation));
  },
  // The squares of all covariances less those of the variances.
  covarianceTerm: (k, [x], { weight }) => {
    const less = centred(k, x, 3);
    const squares = k.sumAll(k.unary("Square", covarianceOf(k, less)));
    const ofVariances = k.sumAll(k.unary("Square", varianceOf(k, less)));
    return k.mul(k.sub(squares, ofVariances), weight / (x.shape[1] ?? 1));
  },
  covarianceTermGrad: (k, [x], { weight }) => {
    const [rows = 1, width = 1] = x.shape;
    const less = centred(k, x, 5);
    const all = product(k, less, covarianceOf(k, less));
    const own = k.mul(less, varianceOf(k, less));
    return k.mul(k.sub(all, own), (4 * weight) / (width * (rows - 1)));
  },

  globalNorm: (k, tensors) => {
    const squares = tensors.map((x) => k.reshape(k.sumAll(k.unary("Square", x)), [1]));
    return k.unary("Sqrt", k.sumAll(k.concat(squares, 0)));
  },
  // One device: the rules of a spec allow no more (compiler/spec/hardware-rules.ts).
  allReduce: (k, [x]) => k.reshape(x, x.shape),
  shard: (k, [x], { length }) => k.reshape(x, onlyShard(x, length)),
  allGather: (k, [shard, like]) => k.reshape(shard, like.shape),
  clipFactor: (k, [norm], { max }) => k.clip(k.div(k.scalar(max), k.add(norm, 1e-6)), 0, 1),

  adamw: (k, [weight, gradient, m, v, stepSize, secondMoment, decayFactor], attrs) => {
    if (hasOwnUpdate(k, weight)) {
      return k.runMany(ADAMW, { weight, gradient, m, v, stepSize, secondMoment, decayFactor }, { ...attrs });
    }
    const { beta1, beta2, eps, decay } = attrs;
    const nextM = k.shared(2, k.add(k.mul(m, beta1), k.mul(gradient, 1 - beta1)));
    const nextV = k.shared(2, k.add(k.mul(v, beta2), k.mul(k.unary("Square", gradient), 1 - beta2)));
    const deviation = k.add(k.mul(k.unary("Sqrt", nextV), secondMoment), eps);
    const change = k.mul(k.div(nextM, deviation), stepSize);
    return [k.sub(decay ? k.mul(weight, decayFactor) : weight, change), nextM, nextV];
  },
  ema: (k, [target, weight, keep, take]) => {
    if (hasOwnUpdate(k, target)) return k.run(EMA, { target, weight, keep, take });
    return k.add(k.mul(target, keep), k.mul(weight, take));
  },
};
