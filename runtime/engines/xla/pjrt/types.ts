/** Element types of buffers and programs: their names in StableHLO, numbers in the C interface, and sizes. */

export type ElementType = "f32" | "i32" | "bf16" | "ui8";

export const elementTypes: {
  readonly [T in ElementType]: { readonly code: number; readonly bytes: number };
} = {
  f32: { code: 11, bytes: 4 },
  i32: { code: 4, bytes: 4 },
  bf16: { code: 13, bytes: 2 },
  ui8: { code: 6, bytes: 1 },
};

/** What a buffer holds, and what a parameter or a result of a program is. */
export interface TensorType {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** Numbers on the host: bf16 as the upper halves of float32. */
export type HostNumbers = Float32Array | Int32Array | Uint16Array | Uint8Array;

const arrays: { readonly [T in ElementType]: (buffer: ArrayBuffer, length: number) => HostNumbers } = {
  f32: (buffer, length) => new Float32Array(buffer, 0, length),
  i32: (buffer, length) => new Int32Array(buffer, 0, length),
  bf16: (buffer, length) => new Uint16Array(buffer, 0, length),
  ui8: (buffer, length) => new Uint8Array(buffer, 0, length),
};

export function elementsOf({ shape }: TensorType): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function bytesOf(tensor: TensorType): number {
  return elementsOf(tensor) * elementTypes[tensor.type].bytes;
}

/** Zeros in memory that does not move, as long as somebody refers to it. */
export function hostArray(tensor: TensorType): HostNumbers {
  return arrays[tensor.type](new ArrayBuffer(Math.max(bytesOf(tensor), 128)), elementsOf(tensor));
}

/** Whether an array is one that holds such a tensor. */
export function fits(values: HostNumbers, tensor: TensorType): boolean {
  const wanted = hostKinds[tensor.type];
  return values instanceof wanted && values.length === elementsOf(tensor);
}

const hostKinds = { f32: Float32Array, i32: Int32Array, bf16: Uint16Array, ui8: Uint8Array } as const satisfies {
  readonly [T in ElementType]: unknown;
};

/** As StableHLO writes it, e.g. tensor<8x196x384xf32>. */
export function typeText({ type, shape }: { readonly type: string; readonly shape: readonly number[] }): string {
  return `tensor<${[...shape, type].join("x")}>`;
}
