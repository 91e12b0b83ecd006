/** The losses and their gradients by the prediction. */
import { isAGradient, type Op, perElement, perInputElement, type VjpContext } from "./op";

/** d loss/d prediction times the gradient of the loss, which is 1 where the backward pass begins. */
function scaled<K extends "smoothL1" | "mse" | "l1">(
  { graph, gradient, input, name }: VjpContext<K>,
  op: "smoothL1Grad" | "mseGrad" | "l1Grad",
) {
  const byPrediction = graph.one(op, [input(0), input(1)], {}, name(0));
  return [graph.one("scaleBy", [byPrediction, gradient], {}, `${name(0)}Scaled`), undefined];
}

export const smoothL1: Op<"smoothL1"> = {
  name: "smoothL1",
  tokenwise: null,
  doc: "out = mean of ½d² where |d| < 1, of |d| − ½ elsewhere; d = prediction − target",
  flops: perInputElement(5),
  vjp: (context) => scaled(context, "smoothL1Grad"),
};

export const smoothL1Grad: Op<"smoothL1Grad"> = {
  name: "smoothL1Grad",
  tokenwise: null,
  doc: "out = min(max(prediction − target, −1), 1) / count",
  flops: perElement(4),
  vjp: isAGradient("smoothL1"),
};

export const mse: Op<"mse"> = {
  name: "mse",
  tokenwise: null,
  doc: "out = mean of (prediction − target)²",
  flops: perInputElement(3),
  vjp: (context) => scaled(context, "mseGrad"),
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
  vjp: (context) => scaled(context, "l1Grad"),
};

export const l1Grad: Op<"l1Grad"> = {
  name: "l1Grad",
  tokenwise: null,
  doc: "out = sign(prediction − target) / count",
  flops: perElement(2),
  vjp: isAGradient("l1"),
};
