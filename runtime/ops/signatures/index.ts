/**
 * What every op takes and gives: how many tensors, and the shapes and number formats of its outputs. One table serves the
 * compiler, whose axes are named, and the engines, whose axes are plain numbers; `Axis` is either.
 */
import { operands } from "../formats";
import type { OpName } from "../ops";
import { attention } from "./attention";
import { sums } from "./elementwise";
import { formats } from "./formats";
import { layers } from "./layers";
import { loss } from "./loss";
import type { Signature } from "./signature";
import { tokens } from "./tokens";
import { update } from "./update";

export { type AxisAttrs, ShapeError } from "./signature";

/** Total: an op without a line here does not compile. */
export const signatures: { readonly [K in OpName]: Signature<K> } = {
  ...tokens,
  ...layers,
  ...attention,
  ...sums,
  ...formats,
  ...loss,
  ...update,
};

/** Whether an op is a product of two matrices, the first two of its inputs, which have one number format. */
export const isProduct = (op: OpName): boolean => signatures[op].formats === operands;
