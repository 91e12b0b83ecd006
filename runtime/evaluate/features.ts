/** Features of a split, and what is done to them before they are compared. */
import type { Matrix } from "./matrix";

/** Row-major, one row per image. */
export interface Features {
  readonly images: number;
  readonly dimension: number;
  readonly values: Float32Array;
}

/** Those of some of the images. */
export function rowsOf({ images, dimension, values }: Features, rows: readonly number[]): Features {
  if (rows.length === images) return { images, dimension, values };
  const out = new Float32Array(rows.length * dimension);
  for (const [at, row] of rows.entries()) {
    out.set(values.subarray(row * dimension, (row + 1) * dimension), at * dimension);
  }
  return { images: rows.length, dimension, values: out };
}

export interface EvaluatedEncoder {
  /** "target encoder" or "random initialization". */
  readonly name: string;
  /** Mean-pooled features [count, dimension] of `count` images. */
  readonly features: (images: Uint8Array, count: number) => Promise<Float32Array>;
}

/** Mean and standard deviation of every feature over the images. */
export interface FeatureStatistics {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

export function statisticsOf({ images, dimension, values }: Features): FeatureStatistics {
  const mean = new Float64Array(dimension);
  const std = new Float64Array(dimension);
  for (let r = 0; r < images; r++) {
    for (let c = 0; c < dimension; c++) mean[c] = (mean[c] ?? 0) + (values[r * dimension + c] ?? 0);
  }
  for (let c = 0; c < dimension; c++) mean[c] = (mean[c] ?? 0) / images;
  // Around the mean, in a second pass: features that differ little from a large mean lose their digits otherwise.
  for (let r = 0; r < images; r++) {
    for (let c = 0; c < dimension; c++) {
      std[c] = (std[c] ?? 0) + ((values[r * dimension + c] ?? 0) - (mean[c] ?? 0)) ** 2;
    }
  }
  for (let c = 0; c < dimension; c++) std[c] = Math.sqrt((std[c] ?? 0) / images);
  return { mean, std };
}

/** (x − mean) / std; a feature that is the same for all images becomes 0. */
export function standardized({ images, dimension, values }: Features, { mean, std }: FeatureStatistics): Matrix {
  const scale = std.map((value, c) => (value > 1e-7 * Math.abs(mean[c] ?? 0) && value > 0 ? 1 / value : 0));
  const out = new Float64Array(values.length);
  for (let r = 0; r < images; r++) {
    for (let c = 0; c < dimension; c++) {
      const at = r * dimension + c;
      out[at] = ((values[at] ?? 0) - (mean[c] ?? 0)) * (scale[c] ?? 0);
    }
  }
  return { rows: images, columns: dimension, values: out };
}

/** Every row divided by its length; a row of zeros stays. */
export function unitRows({ images, dimension, values }: Features): Matrix {
  const out = new Float64Array(values.length);
  for (let r = 0; r < images; r++) {
    let square = 0;
    for (let c = 0; c < dimension; c++) square += (values[r * dimension + c] ?? 0) ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let c = 0; c < dimension; c++) out[r * dimension + c] = (values[r * dimension + c] ?? 0) * scale;
  }
  return { rows: images, columns: dimension, values: out };
}

export function shareOfEqual(a: Int32Array, b: Int32Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
