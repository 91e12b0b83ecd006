/** The losses and their gradients by the prediction; the terms of a regularizer and theirs by the features. */
import type { Value } from "../ir/graph";
import { count, isAGradient, type Op, perElement, perInputElement, type VjpContext } from "./op";

/** d loss/d prediction times the gradient of the loss, which is 1 where the backward pass begins. */
function scaled<K extends "smoothL1" | "mse" | "l1">({ graph, gradient, name }: VjpContext<K>, byPrediction: Value) {
  return [graph.one("scaleBy", [byPrediction, gradient], {}, `${name(0)}Scaled`), undefined];
}

export const smoothL1: Op<"smoothL1"> = {
  name: "smoothL1",
  tokenwise: null,
  doc: "out = mean of ½d²/beta where |d| < beta, of |d| − ½beta elsewhere; d = prediction − target",
  flops: perInputElement(5),
  vjp: (context) => {
    const { graph, input, attrs, name } = context;
    return scaled(context, graph.one("smoothL1Grad", [input(0), input(1)], attrs, name(0)));
  },
};

export const smoothL1Grad: Op<"smoothL1Grad"> = {
  name: "smoothL1Grad",
  tokenwise: null,
  doc: "out = min(max(prediction − target, −beta), beta) / (beta · count)",
  flops: perElement(4),
  vjp: isAGradient("smoothL1"),
};

export const mse: Op<"mse"> = {
  name: "mse",
  tokenwise: null,
  doc: "out = mean of (prediction − target)²",
  flops: perInputElement(3),
  vjp: (context) => {
    const { graph, input, name } = context;
    return scaled(context, graph.one("mseGrad", [input(0), input(1)], {}, name(0)));
  },
};

export const mseGrad: Op<"mseGrad"> = {
  name: "mseGrad",
  tokenwise: null,
  doc: "out = 2 (prediction − target) / count",
  flops: perElement(2),
  vjp: isAGradient("mse"),
};

export const l1: Op<"l1"> = {
  name: "l1",
  tokenwise: null,
  doc: "out = mean of |prediction − target|",
  flops: perInputElement(2),
  vjp: (context) => {
    const { graph, input, name } = context;
    return scaled(context, graph.one("l1Grad", [input(0), input(1)], {}, name(0)));
  },
};

export const l1Grad: Op<"l1Grad"> = {
  name: "l1Grad",
  tokenwise: null,
  doc: "out = sign(prediction − target) / count",
  flops: perElement(2),
  vjp: isAGradient("l1"),
};

export const varianceTerm: Op<"varianceTerm"> = {
  name: "varianceTerm",
  tokenwise: null,
  doc: "out = weight (1/D) Σ_d max(0, γ − √(Var_d + eps)), Var_d of column d over R − 1",
  flops: perInputElement(4),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const byFeatures = graph.one("varianceTermGrad", [input(0)], attrs, name(0));
    return [graph.one("scaleBy", [byFeatures, gradient], {}, `${name(0)}Scaled`)];
  },
};

export const varianceTermGrad: Op<"varianceTermGrad"> = {
  name: "varianceTermGrad",
  tokenwise: null,
  doc: "out = −weight / (D (R − 1)) · (x − mean) / √(Var + eps) where √(Var + eps) < γ, else 0",
  flops: perElement(5),
  vjp: isAGradient("varianceTerm"),
};

/** Columns without their means: two operations for each element. The covariance: a product over the rows. */
const centredCovariance = ([rows = 0, width = 0]: readonly number[]): number => 2 * rows * width * (1 + width);

export const covarianceTerm: Op<"covarianceTerm"> = {
  name: "covarianceTerm",
  tokenwise: null,
  doc: "out = weight (1/D) Σ_{i≠j} Cov_ij², Cov of the columns over R − 1",
  flops: ([x = []]) => centredCovariance(x) + 2 * (x[1] ?? 0) * ((x[1] ?? 0) - 1),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const byFeatures = graph.one("covarianceTermGrad", [input(0)], attrs, name(0));
    return [graph.one("scaleBy", [byFeatures, gradient], {}, `${name(0)}Scaled`)];
  },
};

export const covarianceTermGrad: Op<"covarianceTermGrad"> = {
  name: "covarianceTermGrad",
  tokenwise: null,
  doc: "out = 4 weight / (D (R − 1)) · (x − mean) · Cov without its diagonal",
  flops: ([x = []]) => centredCovariance(x) + 2 * count(x) * (x[1] ?? 0),
  vjp: isAGradient("covarianceTerm"),
};
