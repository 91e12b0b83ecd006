/**
 * The published linear probe (VISSL; docs/evaluation.md): many heads trained in one pass over features of augmented images, the
 * best on the validation images reported, with what that choice flatters by.
 */
import { type Features, shareOfEqual } from "../../runtime/evaluate/features";
import { predictedOf } from "../../runtime/evaluate/linear-probe";
import { type Matrix, matrix, productNT, transposed } from "../../runtime/evaluate/matrix";
import { randomAt } from "../../runtime/random/random";
import { type Accuracy, wilson } from "./interval";

export interface HeadSetting {
  /** For a batch of 256 images; that of the batch is in proportion. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly layers: string;
  readonly batchNorm: boolean;
}

export interface ProbedHeads {
  readonly epochs: number;
  readonly heads: readonly (HeadSetting & { readonly validation: number; readonly test: number })[];
  readonly best: HeadSetting & { readonly validation: number; readonly test: Accuracy };
  readonly choice: Choice;
}

export interface Choice {
  /** Validation less test accuracy of the best: what choosing on validation images flatters by, and noise. */
  readonly optimism: number;
  readonly medianTest: number;
  /** Of choosing on the test images, which would not be honest. */
  readonly bestTest: number;
}

/** The best on the validation images, the first of several, and what the choice cost. */
export function bestOf<T extends { readonly validation: number; readonly test: number }>(
  heads: readonly T[],
  testImages: number,
): { readonly best: Omit<T, "test"> & { readonly test: Accuracy }; readonly choice: Choice } {
  const best = heads.reduce((a, b) => (b.validation > a.validation ? b : a));
  const ofTest = heads.map(({ test }) => test).sort((a, b) => a - b);
  return {
    best: { ...best, test: wilson(best.test, testImages) },
    choice: {
      optimism: best.validation - best.test,
      medianTest: ofTest[Math.floor(ofTest.length / 2)] ?? 0,
      bestTest: ofTest.at(-1) ?? 0,
    },
  };
}

/** .001, .01 and .05 are published for ImageNet; the others serve data that has thousands of images and not a million. */
export const learningRates = [0.001, 0.01, 0.05, 0.2, 1] as const;
export const weightDecays = [0, 5e-4] as const;
/** Epochs of the published probe; divided by ten after 15, 30 and 45 of 50. */
export const headEpochs = 50;
const decayShare = 0.3;
const batch = 256;
const momentum = 0.9;
const epsilon = 1e-5;

export interface HeadTask {
  readonly name: string;
  readonly classes: number;
  readonly labels: { readonly train: Int32Array; readonly validation: Int32Array; readonly test: Int32Array };
}

/** Features of one choice of layers, [images, dimension] of each. */
export interface LayerChoice {
  readonly name: string;
  readonly of: (features: Features) => Features;
}

/** Trains every head of every task; `epochFeatures` gives the training images anew for each epoch. */
export async function probeHeads(what: {
  readonly tasks: readonly HeadTask[];
  readonly layers: readonly LayerChoice[];
  readonly epochs: number;
  readonly seed: number;
  readonly epochFeatures: (epoch: number) => Promise<Features>;
  readonly validation: Features;
  readonly test: Features;
}): Promise<readonly (ProbedHeads & { readonly task: string })[]> {
  const { tasks, layers, epochs, seed, validation, test } = what;
  const banks: Bank[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const features = await what.epochFeatures(epoch);
    const order = Int32Array.from({ length: features.images }, (_, i) => i);
    randomAt({ seed, purpose: "evaluation.heads", step: epoch }).shuffle(order);
    const factor = 0.1 ** Math.floor((epoch + 1e-9) / (decayShare * epochs));
    for (const [l, layer] of layers.entries()) {
      const chosen = layer.of(features);
      for (const [t, task] of tasks.entries()) {
        const at = l * tasks.length + t;
        banks[at] ??= createBank(layer.name, task, chosen.dimension);
        trainEpoch(banks[at], chosen, order, factor);
      }
    }
  }
  return tasks.map((task, t) => {
    const heads = layers.flatMap((layer, l) => {
      const bank = banks[l * tasks.length + t];
      if (bank === undefined) return [];
      const validated = accuracies(bank, layer.of(validation), task.labels.validation);
      const tested = accuracies(bank, layer.of(test), task.labels.test);
      return bank.heads.map((head, h) => ({ ...head.setting, validation: validated[h] ?? 0, test: tested[h] ?? 0 }));
    });
    return { task: task.name, epochs, heads, ...bestOf(heads, test.images) };
  });
}

interface Head {
  readonly setting: HeadSetting;
  /** [padded classes, dimension], then one bias for each. */
  readonly weight: Matrix;
  readonly bias: Float64Array;
  readonly weightMotion: Float64Array;
  readonly biasMotion: Float64Array;
}

/** The heads that see the same features: they share a batch, and the statistics of its norm. */
interface Bank {
  readonly task: HeadTask;
  readonly heads: readonly Head[];
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

function createBank(layers: string, task: HeadTask, dimension: number): Bank {
  // The products work on four rows at once, so the classes are padded.
  const padded = Math.ceil(task.classes / 4) * 4;
  const heads = [false, true].flatMap((batchNorm) =>
    learningRates.flatMap((learningRate) =>
      weightDecays.map(
        (weightDecay): Head => ({
          setting: { learningRate, weightDecay, layers, batchNorm },
          weight: matrix(padded, dimension),
          bias: new Float64Array(padded),
          weightMotion: new Float64Array(padded * dimension),
          biasMotion: new Float64Array(padded),
        }),
      ),
    ),
  );
  return { task, heads, mean: new Float64Array(dimension), variance: new Float64Array(dimension).fill(1) };
}

function trainEpoch(bank: Bank, features: Features, order: Int32Array, factor: number): void {
  const { dimension, values } = features;
  const size = Math.min(batch, order.length);
  // The last images of an order that is no multiple are left out; the next order begins elsewhere.
  for (let from = 0; from + size <= order.length; from += size) {
    const raw = matrix(size, dimension);
    const labels = new Int32Array(size);
    for (let row = 0; row < size; row++) {
      const image = order[from + row] ?? 0;
      labels[row] = bank.task.labels.train[image] ?? 0;
      for (let c = 0; c < dimension; c++) raw.values[row * dimension + c] = values[image * dimension + c] ?? 0;
    }
    const { mean, variance } = statistics(raw);
    for (let c = 0; c < dimension; c++) {
      bank.mean[c] = momentum * (bank.mean[c] ?? 0) + (1 - momentum) * (mean[c] ?? 0);
      bank.variance[c] = momentum * (bank.variance[c] ?? 0) + (1 - momentum) * (variance[c] ?? 0);
    }
    const inputs = [raw, normalized(raw, mean, variance)].map((rows) => ({ rows, columns: transposed(rows) }));
    for (const head of bank.heads) {
      const input = inputs[head.setting.batchNorm ? 1 : 0];
      if (input !== undefined) step(head, input, labels, bank.task.classes, (factor * size) / 256);
    }
  }
}

/** SGD with momentum on mean cross-entropy; weight decay on the weights, as PyTorch's SGD has it. */
function step(
  head: Head,
  { rows, columns }: { readonly rows: Matrix; readonly columns: Matrix },
  labels: Int32Array,
  classes: number,
  factor: number,
): void {
  const { weight, bias, weightMotion, biasMotion, setting } = head;
  const logits = matrix(rows.rows, weight.rows);
  productNT(rows, weight, logits);
  const residuals = matrix(weight.rows, rows.rows);
  for (let i = 0; i < rows.rows; i++) {
    const at = i * weight.rows;
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) top = Math.max(top, (logits.values[at + k] ?? 0) + (bias[k] ?? 0));
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((logits.values[at + k] ?? 0) + (bias[k] ?? 0) - top);
    for (let k = 0; k < classes; k++) {
      const p = Math.exp((logits.values[at + k] ?? 0) + (bias[k] ?? 0) - top) / sum;
      residuals.values[k * rows.rows + i] = (p - (k === labels[i] ? 1 : 0)) / rows.rows;
    }
  }
  const gradient = matrix(weight.rows, rows.columns);
  productNT(residuals, columns, gradient);
  const rate = setting.learningRate * factor;
  for (let i = 0; i < weight.values.length; i++) {
    const g = (gradient.values[i] ?? 0) + setting.weightDecay * (weight.values[i] ?? 0);
    weightMotion[i] = momentum * (weightMotion[i] ?? 0) + g;
    weight.values[i] = (weight.values[i] ?? 0) - rate * (weightMotion[i] ?? 0);
  }
  for (let k = 0; k < classes; k++) {
    let g = 0;
    for (let i = 0; i < rows.rows; i++) g += residuals.values[k * rows.rows + i] ?? 0;
    biasMotion[k] = momentum * (biasMotion[k] ?? 0) + g;
    bias[k] = (bias[k] ?? 0) - rate * (biasMotion[k] ?? 0);
  }
}

function statistics({ rows, columns, values }: Matrix): {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
} {
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) mean[i % columns] = (mean[i % columns] ?? 0) + (values[i] ?? 0) / rows;
  for (let i = 0; i < values.length; i++) {
    variance[i % columns] = (variance[i % columns] ?? 0) + ((values[i] ?? 0) - (mean[i % columns] ?? 0)) ** 2 / rows;
  }
  return { mean, variance };
}

/** A batch norm without gain and bias, which the linear layer behind it has already. */
function normalized({ rows, columns, values }: Matrix, mean: Float64Array, variance: Float64Array): Matrix {
  const out = matrix(rows, columns);
  for (let i = 0; i < values.length; i++) {
    const c = i % columns;
    out.values[i] = ((values[i] ?? 0) - (mean[c] ?? 0)) / Math.sqrt((variance[c] ?? 0) + epsilon);
  }
  return out;
}

function accuracies(bank: Bank, { images, dimension, values }: Features, labels: Int32Array): readonly number[] {
  const raw: Matrix = { rows: images, columns: dimension, values: Float64Array.from(values) };
  const inputs = [raw, normalized(raw, bank.mean, bank.variance)];
  return bank.heads.map(({ weight, bias, setting }) => {
    const input = inputs[setting.batchNorm ? 1 : 0] ?? raw;
    const logits = matrix(images, weight.rows);
    productNT(input, weight, logits);
    return shareOfEqual(predictedOf(logits, bias, bank.task.classes), labels);
  });
}
