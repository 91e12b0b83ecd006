/** Structs, lists and texts of the C interface as memory of this process. */
import type { Koffi, Pointer } from "../../koffi";
import { STRUCT_BYTES } from "./layout";

/**
 * Words in memory that does not move: V8 keeps typed arrays of up to 64 bytes on its heap. Whoever hands out its address
 * keeps the array until the native side is done with it; the collector does not see addresses.
 */
export function words(count: number): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(new ArrayBuffer(Math.max(count * 8, 128)), 0, count);
}

/** The same with values. */
export function wordsOf(values: readonly bigint[]): BigUint64Array<ArrayBuffer> {
  const made = words(values.length);
  made.set(values);
  return made;
}

/** A zeroed struct that says its size; `values` by position. */
export function struct(values: Readonly<Record<number, bigint>> = {}): BigUint64Array<ArrayBuffer> {
  const made = words(STRUCT_BYTES / 8);
  made[0] = BigInt(STRUCT_BYTES);
  for (const [position, value] of Object.entries(values)) made[Number(position)] = value;
  return made;
}

/** A copy of foreign memory. */
export function bytesAt(koffi: Koffi, pointer: Pointer, size: number): Uint8Array<ArrayBuffer> {
  return size === 0 ? new Uint8Array() : new Uint8Array(koffi.view(pointer, size)).slice();
}

export function textAt(koffi: Koffi, pointer: Pointer, size: bigint): string {
  return new TextDecoder().decode(bytesAt(koffi, pointer, Number(size)));
}

export function wordsAt(koffi: Koffi, pointer: Pointer, count: number): BigUint64Array<ArrayBuffer> {
  return count === 0 ? new BigUint64Array() : new BigUint64Array(bytesAt(koffi, pointer, count * 8).buffer);
}

/** Bytes of a text in memory that does not move. */
export function textBytes(text: string): Uint8Array<ArrayBuffer> {
  return fixedBytes(new TextEncoder().encode(text));
}

/** The same bytes in memory that does not move. */
export function fixedBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const fixed = new Uint8Array(new ArrayBuffer(Math.max(bytes.length, 128)), 0, bytes.length);
  fixed.set(bytes);
  return fixed;
}
