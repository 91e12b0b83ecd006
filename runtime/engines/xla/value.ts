/** What stands between the operations of a program. */
import type { ElementType } from "./pjrt/types";

/** Of values: what buffers hold, and truth values in between. */
export type ValueType = ElementType | "i1";

export interface Value {
  /** As the text has it, e.g. %12. */
  readonly name: string;
  readonly type: ValueType;
  readonly shape: readonly number[];
}

export const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** Size of an axis, negative from the end. */
export function sizeAt({ shape }: { readonly shape: readonly number[] }, axis: number): number {
  const size = shape.at(axis);
  if (size === undefined) throw new Error(`internal: [${shape.join(", ")}] has no axis ${axis}`);
  return size;
}

/** Of a value that can lie in a buffer. */
export function bufferType({ type }: Value): ElementType {
  if (type === "i1") throw new Error("internal: no numbers but truth values");
  return type;
}

/** Floats by their bits, so that nothing is rounded on the way through text. */
export function literal(value: number, type: ElementType): string {
  if (type === "i32" || type === "ui8") return String(value);
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return type === "f32"
    ? `0x${bits.toString(16).toUpperCase().padStart(8, "0")}`
    : `0x${(bits >>> 16).toString(16).toUpperCase().padStart(4, "0")}`;
}
