/**
 * LiDAR (Thilak et al., arXiv 2312.04000): RankMe of what tells images apart from views of the same image. Every image is a
 * class of its own, its random crops are the samples.
 */
import { symmetricEigenvalues } from "../../runtime/evaluate/eigenvalues";
import { cholesky, matrix, transposed } from "../../runtime/evaluate/matrix";
import { covarianceOf, solveLower } from "./scatter";

/** Added to the scatter within classes, as in the paper. */
const delta = 1e-4;
const epsilon = 1e-7;

export interface Views {
  readonly images: number;
  readonly views: number;
  readonly dimension: number;
  /** [images, views, dimension] */
  readonly values: Float32Array;
}

/** exp of the entropy of the eigenvalues of Σw^(−½) · Σb · Σw^(−½): 1 … dimension. 0 where no image differs from another. */
export function lidar({ images, views, dimension, values }: Views): number {
  const means = matrix(images, dimension);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / (views * dimension)) * dimension + (i % dimension);
    means.values[at] = (means.values[at] ?? 0) + (values[i] ?? 0) / views;
  }
  const within = matrix(images * views, dimension);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / (views * dimension)) * dimension + (i % dimension);
    within.values[i] = (values[i] ?? 0) - (means.values[at] ?? 0);
  }
  const mean = new Float64Array(dimension);
  for (let i = 0; i < means.values.length; i++) {
    mean[i % dimension] = (mean[i % dimension] ?? 0) + (means.values[i] ?? 0) / images;
  }
  for (let i = 0; i < means.values.length; i++) {
    means.values[i] = (means.values[i] ?? 0) - (mean[i % dimension] ?? 0);
  }
  const l = cholesky(covarianceOf(within, images * (views - 1)), delta);
  const between = covarianceOf(means, images - 1);
  // L⁻¹ · Σb · L⁻ᵀ has the eigenvalues of Σw^(−½) · Σb · Σw^(−½); both factors are one pass over the rows each.
  solveLower(l, between);
  const both = transposed(between);
  solveLower(l, both);
  const eigenvalues = symmetricEigenvalues(both).map((value) => Math.max(value, 0));
  const sum = eigenvalues.reduce((total, value) => total + value, 0);
  // Beside the 1 of a direction that tells images apart this is rounding.
  if (!(sum > 1e-9)) return 0;
  return Math.exp(
    -eigenvalues.reduce((entropy, value) => {
      const p = value / sum + epsilon;
      return entropy + p * Math.log(p);
    }, 0),
  );
}
