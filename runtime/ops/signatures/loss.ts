/** The losses and their gradients by the prediction; the terms of a regularizer and theirs by the features. */
import type { OpName } from "../ops";
import { elementwise, input, type Signature, type Signatures, same } from "./signature";

function lossOf<K extends OpName>(op: K): Signature<K> {
  return {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      same(op, inputs, input(op, inputs, 0, -1), input(op, inputs, 1));
      return [[]];
    },
  };
}

/** Of features [rows, D]. */
function termOf<K extends OpName>(op: K): Signature<K> {
  return {
    inputs: 1,
    outputs: 1,
    shapes: (inputs) => {
      input(op, inputs, 0, 2);
      return [[]];
    },
  };
}

function termGradientOf<K extends OpName>(op: K): Signature<K> {
  return { inputs: 1, outputs: 1, shapes: (inputs) => [input(op, inputs, 0, 2)] };
}

export const loss = {
  smoothL1: { ...lossOf("smoothL1"), attrs: { beta: 1 } },
  smoothL1Grad: { ...elementwise("smoothL1Grad", 2), attrs: { beta: 1 } },
  mse: lossOf("mse"),
  mseGrad: elementwise("mseGrad", 2),
  l1: lossOf("l1"),
  l1Grad: elementwise("l1Grad", 2),
  varianceTerm: termOf("varianceTerm"),
  varianceTermGrad: termGradientOf("varianceTermGrad"),
  covarianceTerm: termOf("covarianceTerm"),
  covarianceTermGrad: termGradientOf("covarianceTermGrad"),
} satisfies Signatures;
