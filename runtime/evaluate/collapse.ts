/** Signs of collapse: how many directions the features use, and how much they differ from image to image. */
import { symmetricEigenvalues } from "./eigenvalues";
import { type Features, statisticsOf } from "./features";
import { gramOf, transposed } from "./matrix";

export interface CollapseSignals {
  /** exp of the entropy of the normalized singular values: about the number of directions in use, 1 … dimension. */
  readonly rankMe: number;
  /** Mean over the features of their standard deviation over the images; 0 = all images look the same. */
  readonly featureSpread: number;
}

export function collapseSignals(features: Features): CollapseSignals {
  const { std } = statisticsOf(features);
  return {
    rankMe: rankMe(singularValues(features)),
    featureSpread: std.reduce((sum, value) => sum + value, 0) / std.length,
  };
}

/**
 * The min(images, dimension) singular values, descending, as roots of the eigenvalues of the smaller Gram matrix. Those below
 * 10⁻⁸ of the largest are noise, which RankMe does not see behind its 10⁻⁵.
 */
export function singularValues({ images, dimension, values }: Features): Float64Array {
  const x = { rows: images, columns: dimension, values: Float64Array.from(values) };
  const gram = gramOf(images < dimension ? x : transposed(x));
  return symmetricEigenvalues(gram).map((value) => Math.sqrt(Math.max(value, 0)));
}

/** Garrido et al., RankMe (arXiv 2210.02885): p = s / Σs + 10⁻⁵, exp(−Σ p·log p). */
export function rankMe(singular: Float64Array): number {
  const sum = singular.reduce((total, value) => total + value, 0);
  if (sum === 0) return 0;
  return Math.exp(
    -singular.reduce((entropy, value) => {
      const p = value / sum + 1e-5;
      return entropy + p * Math.log(p);
    }, 0),
  );
}
