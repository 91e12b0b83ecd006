/** Number formats of safetensors files, which are little-endian, as is every machine that onnxruntime-node runs on. */

/** Bytes of one element, for every format whose elements are whole bytes. */
export const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type StoredDtype = keyof typeof elementBytes;

export function isStoredDtype(name: unknown): name is StoredDtype {
  return typeof name === "string" && Object.hasOwn(elementBytes, name);
}

export type TensorValues = Float32Array | Float64Array | Int32Array | BigInt64Array;

/** The values of a tensor; F16 and BF16 become float32. Null where the format is one that this program never reads. */
export function decode(dtype: StoredDtype, bytes: ArrayBuffer): TensorValues | null {
  switch (dtype) {
    case "F32":
      return new Float32Array(bytes);
    case "F64":
      return new Float64Array(bytes);
    case "I32":
      return new Int32Array(bytes);
    case "I64":
      return new BigInt64Array(bytes);
    case "F16":
      return fromHalf(new Uint16Array(bytes));
    case "BF16":
      return fromBfloat(new Uint16Array(bytes));
    default:
      return null;
  }
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** IEEE 754 half: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] ?? 0;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[i] = half >= 0x8000 ? -size : size;
  }
  return values;
}
