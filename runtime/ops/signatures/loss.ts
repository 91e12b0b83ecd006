/** The losses and their gradients by the prediction. */
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

export const loss = {
  smoothL1: lossOf("smoothL1"),
  smoothL1Grad: elementwise("smoothL1Grad", 2),
  mse: lossOf("mse"),
  mseGrad: elementwise("mseGrad", 2),
  l1: lossOf("l1"),
  l1Grad: elementwise("l1Grad", 2),
} satisfies Signatures;
