/** Covariances of features, and features seen by one: whitening, and the matrix that LiDAR ranks. */
import type { Features } from "../../runtime/evaluate/features";
import { cholesky, dot, gramOf, type Matrix, matrix, transposed } from "../../runtime/evaluate/matrix";

/** (1 / divisor) · Σ rows ᵀ rows, [columns, columns]. */
export function covarianceOf(rows: Matrix, divisor: number): Matrix {
  const gram = gramOf(transposed(rows));
  for (let i = 0; i < gram.values.length; i++) gram.values[i] = (gram.values[i] ?? 0) / divisor;
  return gram;
}

export function traceOf({ rows, values }: Matrix): number {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += values[i * rows + i] ?? 0;
  return trace;
}

/** Rows r → L⁻¹ · r, in place. */
export function solveLower(l: Matrix, rows: Matrix): void {
  const n = l.rows;
  for (let row = 0; row < rows.rows; row++) {
    const from = row * n;
    for (let r = 0; r < n; r++) {
      const rest = (rows.values[from + r] ?? 0) - dot(l.values, r * n, rows.values, from, r);
      rows.values[from + r] = rest / (l.values[r * n + r] ?? 1);
    }
  }
}

/** Share of the mean variance that is added to every direction, so that noise in directions without signal stays small. */
export const whiteningShare = 1e-3;

/**
 * Features with the covariance of the train split taken out: L⁻¹ · (x − mean) with L · Lᵀ = covariance + share · mean variance.
 * Cosines between them are those after PCA whitening with the same shift, since the two differ by a rotation.
 */
export function whitened(train: Features, others: readonly Features[]): readonly Features[] {
  const { dimension, images } = train;
  const mean = new Float64Array(dimension);
  for (let i = 0; i < train.values.length; i++) {
    mean[i % dimension] = (mean[i % dimension] ?? 0) + (train.values[i] ?? 0);
  }
  for (let c = 0; c < dimension; c++) mean[c] = (mean[c] ?? 0) / images;
  const centred = ({ images: rows, values }: Features): Matrix => {
    const out = matrix(rows, dimension);
    for (let i = 0; i < values.length; i++) out.values[i] = (values[i] ?? 0) - (mean[i % dimension] ?? 0);
    return out;
  };
  const covariance = covarianceOf(centred(train), images);
  const trace = traceOf(covariance);
  // Features that are all alike but for rounding have nothing to be whitened by.
  const isFlat = trace <= 1e-12 * mean.reduce((sum, value) => sum + value * value, 0);
  const l = cholesky(covariance, isFlat || trace === 0 ? 1 : (whiteningShare * trace) / dimension);
  return [train, ...others].map((features) => {
    const rows = centred(features);
    solveLower(l, rows);
    return { images: features.images, dimension, values: Float32Array.from(rows.values) };
  });
}
