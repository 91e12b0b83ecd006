/**
 * The linear probe: L2-regularized multinomial logistic regression on frozen features that are standardized on the train
 * split. Its strength is chosen on the validation split; the test split is looked at once, at the end.
 */
import { type Features, shareOfEqual, standardized, statisticsOf } from "./features";
import { minimize } from "./lbfgs";
import { cholesky, choleskySolve, gramOf, type Matrix, matrix, productNT, transposed } from "./matrix";

export interface Labelled {
  readonly features: Features;
  readonly labels: Int32Array;
}

export interface ProbeResult {
  /** Shares of the images, 0…1. */
  readonly testAccuracy: number;
  readonly validationAccuracy: number;
  readonly trainAccuracy: number;
  /** The chosen factor λ of ½·‖W‖², beside a mean loss over the images. */
  readonly l2: number;
}

/** Strengths to choose from, the strongest first; each fit starts at the one before it. */
export const probeGrid: readonly number[] = [1, 0.1, 0.01, 1e-3, 1e-4];

/** Weights [classes, dimension] and biases; rows beyond `classes` are padding and stay zero. */
export interface LinearClassifier {
  readonly classes: number;
  readonly weight: Matrix;
  readonly bias: Float64Array;
}

/** Features of the three splits, made ready once for the probes of all tasks. */
export interface ProbeFeatures {
  readonly train: Matrix;
  readonly validation: Matrix;
  readonly test: Matrix;
  /** [dimension, images]: the gradient is a product with it. */
  readonly trainColumns: Matrix;
  /** Cholesky factors of the preconditioner, by strength. */
  readonly factors: Map<number, Matrix>;
}

export function prepareProbe(train: Features, validation: Features, test: Features): ProbeFeatures {
  const statistics = statisticsOf(train);
  const rows = standardized(train, statistics);
  const trainColumns = transposed(rows);
  const bound = gramOf(trainColumns);
  // The Hessian of the loss is at most ½·XᵀX/images in every class (Böhning 1992); ¼ is nearer to what it mostly is.
  for (let i = 0; i < bound.values.length; i++) bound.values[i] = (bound.values[i] ?? 0) / (4 * train.images);
  return {
    train: rows,
    validation: standardized(validation, statistics),
    test: standardized(test, statistics),
    trainColumns,
    factors: new Map(probeGrid.map((l2) => [l2, cholesky(bound, l2)])),
  };
}

export function linearProbe(
  features: ProbeFeatures,
  labels: { readonly train: Int32Array; readonly validation: Int32Array; readonly test: Int32Array },
  classes: number,
): ProbeResult {
  let best: { readonly l2: number; readonly accuracy: number; readonly classifier: LinearClassifier } | null = null;
  let start: LinearClassifier | null = null;
  let worse = 0;
  for (const l2 of probeGrid) {
    // Weaker regularization takes the longest to fit; after two that overfit, a third is not better.
    if (worse === 2) break;
    const { classifier } = fitClassifier(features, labels.train, { classes, l2, start });
    start = classifier;
    const accuracy = shareOfEqual(predict(classifier, features.validation), labels.validation);
    // Of two that are equally good the stronger regularization stays.
    const isBetter = best === null || accuracy > best.accuracy;
    worse = isBetter ? 0 : worse + 1;
    if (isBetter) best = { l2, accuracy, classifier };
  }
  if (best === null) throw new Error("internal: the grid of the linear probe is empty");
  return {
    testAccuracy: shareOfEqual(predict(best.classifier, features.test), labels.test),
    validationAccuracy: best.accuracy,
    trainAccuracy: shareOfEqual(predict(best.classifier, features.train), labels.train),
    l2: best.l2,
  };
}

/** The minimum of mean cross-entropy + ½·l2·‖W‖²; the bias is not regularized. */
export function fitClassifier(
  { train, trainColumns, factors }: Pick<ProbeFeatures, "train" | "trainColumns" | "factors">,
  labels: Int32Array,
  fit: { readonly classes: number; readonly l2: number; readonly start: LinearClassifier | null },
): { readonly classifier: LinearClassifier; readonly loss: number; readonly iterations: number } {
  const { classes, l2 } = fit;
  const { rows: images, columns: dimension } = train;
  const factor = factors.get(l2);
  if (factor === undefined) throw new Error(`internal: the strength ${l2} of the probe was not prepared`);
  // The products work on four rows at once, so the classes are padded.
  const padded = Math.ceil(classes / 4) * 4;
  const weights = padded * dimension;
  const logits = matrix(images, padded);
  const residuals = matrix(padded, images);
  const classifierOf = (x: Float64Array): LinearClassifier => ({
    classes,
    weight: { rows: padded, columns: dimension, values: x.subarray(0, weights) },
    bias: x.subarray(weights),
  });

  const evaluate = (x: Float64Array, gradient: Float64Array): number => {
    const { weight, bias } = classifierOf(x);
    productNT(train, weight, logits);
    const loss = softmaxLoss(logits, bias, labels, classes, residuals);
    const weightGradient = { rows: padded, columns: dimension, values: gradient.subarray(0, weights) };
    productNT(residuals, trainColumns, weightGradient);
    let penalty = 0;
    for (let i = 0; i < weights; i++) {
      const w = x[i] ?? 0;
      penalty += w * w;
      gradient[i] = (gradient[i] ?? 0) + l2 * w;
    }
    for (let k = 0; k < classes; k++) {
      let sum = 0;
      for (let i = 0; i < images; i++) sum += residuals.values[k * images + i] ?? 0;
      gradient[weights + k] = sum;
    }
    return loss + (l2 / 2) * penalty;
  };

  const start = new Float64Array(weights + padded);
  if (fit.start !== null) {
    start.set(fit.start.weight.values);
    start.set(fit.start.bias, weights);
  }
  const { x, value, iterations } = minimize({
    evaluate,
    precondition: (vector) => {
      for (let k = 0; k < classes; k++) {
        choleskySolve(factor, vector, k * dimension);
        vector[weights + k] = 4 * (vector[weights + k] ?? 0);
      }
    },
    start,
    tolerance: 1e-6,
    maxIterations: 100,
  });
  return { classifier: classifierOf(x), loss: value, iterations };
}

/** The most likely class of every row. */
export function predict({ classes, weight, bias }: LinearClassifier, rows: Matrix): Int32Array {
  const logits = matrix(rows.rows, weight.rows);
  productNT(rows, weight, logits);
  return predictedOf(logits, bias, classes);
}

/** The same from logits without the bias, [images, padded classes]. */
export function predictedOf(logits: Matrix, bias: Float64Array, classes: number): Int32Array {
  const predicted = new Int32Array(logits.rows);
  for (let i = 0; i < logits.rows; i++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) {
      const value = (logits.values[i * logits.columns + k] ?? 0) + (bias[k] ?? 0);
      if (value > top) {
        top = value;
        predicted[i] = k;
      }
    }
  }
  return predicted;
}

/** Mean cross-entropy; writes (p − y) / images as [classes, images]. */
export function softmaxLoss(
  logits: Matrix,
  bias: Float64Array,
  labels: Int32Array,
  classes: number,
  residuals: Matrix,
): number {
  const images = logits.rows;
  const stride = logits.columns;
  let loss = 0;
  for (let i = 0; i < images; i++) {
    const at = i * stride;
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) top = Math.max(top, (logits.values[at + k] ?? 0) + (bias[k] ?? 0));
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((logits.values[at + k] ?? 0) + (bias[k] ?? 0) - top);
    const label = labels[i] ?? 0;
    const logSum = top + Math.log(sum);
    loss += logSum - ((logits.values[at + label] ?? 0) + (bias[label] ?? 0));
    for (let k = 0; k < classes; k++) {
      const p = Math.exp((logits.values[at + k] ?? 0) + (bias[k] ?? 0) - logSum);
      residuals.values[k * images + i] = (p - (k === label ? 1 : 0)) / images;
    }
  }
  return loss / images;
}
