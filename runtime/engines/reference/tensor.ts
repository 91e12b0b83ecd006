/** Tensors of the reference engine: plain numbers in C order, float64 also for indices. */
import type { AnyTensor, Dtype, Shape } from "../../ops/ops";

export interface Dense extends AnyTensor {
  readonly data: Float64Array;
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function dense(shape: Shape, data: Float64Array, dtype: Dtype = "f32"): Dense {
  if (data.length !== sizeOf(shape)) throw new Error(`internal: ${data.length} numbers for [${shape.join(", ")}]`);
  return { dtype, shape, data };
}

/** A tensor whose numbers are given by a function of their place. */
export function fill(shape: Shape, valueAt: (i: number) => number): Dense {
  const data = new Float64Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = valueAt(i);
  return dense(shape, data);
}

/** Element i; reading beyond the end is our mistake. */
export function at(x: Dense, i: number): number {
  const value = x.data[i];
  if (value === undefined) throw new Error(`internal: element ${i} of [${x.shape.join(", ")}]`);
  return value;
}

/** Size of an axis, negative from the end. */
export function axis(x: { readonly shape: Shape }, i: number): number {
  const size = x.shape.at(i);
  if (size === undefined) throw new Error(`internal: [${x.shape.join(", ")}] has no axis ${i}`);
  return size;
}

/** Rows and width of a tensor seen as [everything else, last axis]. */
export function rowsOf(x: { readonly shape: Shape }): { readonly rows: number; readonly width: number } {
  const width = x.shape.at(-1) ?? 1;
  return { rows: width === 0 ? 0 : sizeOf(x.shape) / width, width };
}
