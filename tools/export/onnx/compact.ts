/** Weights in fewer bytes. Each gives back float32 by one node of the ONNX standard, so what computes with them stays the same. */

/** IEEE 754 half, rounded to the nearest, ties to even. What is larger than 65504 becomes that. */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const value = bits[i] ?? 0;
    const sign = (value >>> 16) & 0x8000;
    const size = value & 0x7fffffff;
    // 65504 and what rounds to more; below 2⁻¹⁴ steps of 2⁻²⁴, and above them 10 bits behind the first.
    if (size >= 0x477ff000) out[i] = sign | 0x7bff;
    else if (size < 0x38800000) out[i] = sign | roundEven((values[i] ?? 0) * (sign === 0 ? 1 : -1) * 2 ** 24);
    else out[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  }
  return out;
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

export interface Columns8 {
  readonly values: Int8Array;
  /** What one step is worth, for each column. */
  readonly scales: Float32Array;
}

/** A matrix [rows, columns] in steps of a 127th of the largest number of its column: of one output of a linear layer. */
export function toInt8Columns(values: Float32Array, columns: number): Columns8 {
  const scales = new Float32Array(columns);
  for (let i = 0; i < values.length; i++) {
    const c = i % columns;
    scales[c] = Math.max(scales[c] ?? 0, Math.abs(values[i] ?? 0));
  }
  for (let c = 0; c < columns; c++) scales[c] = (scales[c] ?? 0) / 127 || 1;
  const out = new Int8Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.round((values[i] ?? 0) / (scales[i % columns] ?? 1));
  return { values: out, scales };
}
