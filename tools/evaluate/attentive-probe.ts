/**
 * Attentive probes trained on cached patch features: every setting of every task in one pass, the best on the validation images
 * reported, with what that choice flatters by.
 */
import { setImmediate } from "node:timers/promises";
import { type Features, shareOfEqual } from "../../runtime/evaluate/features";
import { predictedOf } from "../../runtime/evaluate/linear-probe";
import { type Matrix, matrix } from "../../runtime/evaluate/matrix";
import { randomAt } from "../../runtime/random/random";
import { type AttentiveProbe, emptyProbe, logitsOf, lossAndGradient, type PatchBatch, parametersOf } from "./attentive";
import { bestOf, type Choice, type HeadTask } from "./heads";
import type { Accuracy } from "./interval";

export interface AttentiveSetting {
  readonly learningRate: number;
  readonly weightDecay: number;
}

export interface ProbedAttention {
  readonly task: string;
  readonly epochs: number;
  /** Training images that were used: patch features of more are not held at once. */
  readonly images: number;
  /** Of the attention. */
  readonly heads: number;
  readonly settings: readonly (AttentiveSetting & { readonly validation: number; readonly test: number })[];
  readonly best: AttentiveSetting & { readonly validation: number; readonly test: Accuracy };
  readonly choice: Choice;
}

/** Patch features of a split, some images after the others. */
export interface PatchFeatures {
  readonly images: number;
  readonly patches: number;
  readonly width: number;
  /** Which images of the split they are. */
  readonly rows: readonly number[];
  /** [some images, patches · width] each. */
  readonly parts: () => AsyncIterable<Features>;
}

export const attentiveSettings: readonly AttentiveSetting[] = [3e-4, 1e-3, 3e-3].map((learningRate) => ({
  learningRate,
  weightDecay: 0.1,
}));
/** The same work in more steps: data have thousands of images here, and not a million. */
const batchSize = 64;
const warmupShare = 0.1;
/** PyTorch's defaults. */
const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

export async function probeAttention(what: {
  readonly tasks: readonly HeadTask[];
  /** Of the encoder that gave the features. */
  readonly heads: number;
  readonly epochs: number;
  readonly seed: number;
  readonly train: PatchFeatures;
  readonly validation: PatchFeatures;
  readonly test: PatchFeatures;
  readonly progress: (line: string) => void;
}): Promise<readonly ProbedAttention[]> {
  const { tasks, heads, epochs, seed, train } = what;
  const held: Features[] = [];
  for await (const part of train.parts()) held.push(part);
  const standard = standardOf(held, train.width);
  const patchesOf = patchReader(held, standard);
  const members = tasks.flatMap((task) => attentiveSettings.map((setting) => ({ task, setting })));
  const trainer = createTrainer(
    members.map(({ task, setting }) => ({ probe: initialProbe(task, train.width, seed), setting })),
    heads,
  );
  const labels = members.map(({ task }) => Int32Array.from(train.rows, (row) => task.labels.train[row] ?? 0));
  const size = Math.min(batchSize, train.images);
  // The last images of an order that is no multiple are left out; the next order begins elsewhere.
  const ofEpoch = Math.floor(train.images / size);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = Int32Array.from({ length: train.images }, (_, i) => i);
    randomAt({ seed, purpose: "evaluation.attentive", step: epoch }).shuffle(order);
    for (let at = 0; at < ofEpoch; at++) {
      const chosen = order.subarray(at * size, (at + 1) * size);
      const batch = { images: size, patches: (i: number) => patchesOf(chosen[i] ?? 0) };
      const factor = scheduleAt(epoch * ofEpoch + at, epochs * ofEpoch);
      trainer.step(batch, (p) => Int32Array.from(chosen, (i) => labels[p]?.[i] ?? 0), factor);
      await setImmediate();
    }
    what.progress(`attentive probe: epoch ${epoch + 1} of ${epochs}`);
  }
  const sharesOf = async (split: PatchFeatures, labelsOf: (task: HeadTask) => Int32Array) => {
    const predicted = await predictions(trainer.probes, heads, split, standard);
    return members.map(({ task }, p) => {
      const all = labelsOf(task);
      return shareOfEqual(
        predicted[p] ?? new Int32Array(),
        Int32Array.from(split.rows, (row) => all[row] ?? 0),
      );
    });
  };
  const validated = await sharesOf(what.validation, ({ labels: { validation } }) => validation);
  const tested = await sharesOf(what.test, ({ labels: { test } }) => test);
  return tasks.map((task): ProbedAttention => {
    const settings = members.flatMap(({ task: own, setting }, p) =>
      own === task ? [{ ...setting, validation: validated[p] ?? 0, test: tested[p] ?? 0 }] : [],
    );
    return { task: task.name, epochs, images: train.images, heads, settings, ...bestOf(settings, what.test.images) };
  });
}

/** Rises over a tenth of the steps, then a cosine to 0. */
export function scheduleAt(step: number, steps: number): number {
  const warmup = Math.ceil(warmupShare * steps);
  if (step < warmup) return (step + 1) / warmup;
  return (1 + Math.cos((Math.PI * (step - warmup)) / (steps - warmup))) / 2;
}

/** A mean of the patches at first, for the query is near 0, and a head that says nothing. All tasks and settings begin alike. */
function initialProbe({ classes }: HeadTask, width: number, seed: number): AttentiveProbe {
  const probe = emptyProbe(classes, width);
  const drawn = (name: string, out: Float64Array, std: number): void => {
    const values = new Float32Array(out.length);
    randomAt({ seed, purpose: `evaluation.attentive.${name}` }).fillNormal(values, std);
    out.set(values);
  };
  drawn("query", probe.query, 0.02);
  drawn("key", probe.key.values, 1 / Math.sqrt(width));
  drawn("value", probe.value.values, 1 / Math.sqrt(width));
  return probe;
}

/** AdamW as PyTorch has it, of probes that see the same images; query and bias do not decay. */
export function createTrainer(
  members: readonly { readonly probe: AttentiveProbe; readonly setting: AttentiveSetting }[],
  heads: number,
) {
  const probes = members.map(({ probe }) => probe);
  const states = probes.map((probe) => {
    const { plain, decaying } = parametersOf(probe);
    return [...plain, ...decaying].map(({ length }) => ({ m: new Float64Array(length), v: new Float64Array(length) }));
  });
  let steps = 0;
  return {
    probes,
    /** `factor` of the learning rate; the loss of each probe before the step. */
    step: (batch: PatchBatch, labels: (probe: number) => Int32Array, factor: number): readonly number[] => {
      const found = lossAndGradient(probes, heads, batch, labels);
      steps++;
      for (const [p, { probe, setting }] of members.entries()) {
        const gradient = found[p]?.gradient;
        if (gradient === undefined) continue;
        const rate = factor * setting.learningRate;
        const { plain, decaying } = parametersOf(probe);
        const slopes = parametersOf(gradient);
        const gradients = [...slopes.plain, ...slopes.decaying];
        for (const [i, values] of [...plain, ...decaying].entries()) {
          const state = states[p]?.[i];
          const slope = gradients[i];
          if (state === undefined || slope === undefined) continue;
          const kept = i < plain.length ? 1 : 1 - rate * setting.weightDecay;
          adam(values, slope, state, { rate, kept, steps });
        }
      }
      return found.map(({ loss }) => loss);
    },
  };
}

function adam(
  values: Float64Array,
  slopes: Float64Array,
  { m, v }: { readonly m: Float64Array; readonly v: Float64Array },
  { rate, kept, steps }: { readonly rate: number; readonly kept: number; readonly steps: number },
): void {
  const first = 1 - beta1 ** steps;
  const second = 1 - beta2 ** steps;
  for (let i = 0; i < values.length; i++) {
    const g = slopes[i] ?? 0;
    const mi = beta1 * (m[i] ?? 0) + (1 - beta1) * g;
    const vi = beta2 * (v[i] ?? 0) + (1 - beta2) * g * g;
    m[i] = mi;
    v[i] = vi;
    values[i] = kept * (values[i] ?? 0) - (rate * (mi / first)) / (Math.sqrt(vi / second) + epsilon);
  }
}

interface Standard {
  readonly mean: Float64Array;
  /** 1 / standard deviation; 0 of a number that is the same everywhere. */
  readonly scale: Float64Array;
}

/** Of every number of a patch over all patches: what AIM's batch norm without gain comes to on features that do not change. */
function standardOf(parts: readonly Features[], width: number): Standard {
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  const count = parts.reduce((sum, { values }) => sum + values.length, 0) / width;
  for (const { values } of parts) {
    for (let i = 0; i < values.length; i++) mean[i % width] = (mean[i % width] ?? 0) + (values[i] ?? 0) / count;
  }
  // Around the mean, in a second pass: numbers that differ little from a large mean lose their digits otherwise.
  for (const { values } of parts) {
    for (let i = 0; i < values.length; i++) {
      square[i % width] = (square[i % width] ?? 0) + ((values[i] ?? 0) - (mean[i % width] ?? 0)) ** 2 / count;
    }
  }
  const scale = square.map((value, c) => (Math.sqrt(value) > 1e-7 * Math.abs(mean[c] ?? 0) ? 1 / Math.sqrt(value) : 0));
  return { mean, scale };
}

/** Standardized patches of an image by its number over all parts. */
function patchReader(parts: readonly Features[], { mean, scale }: Standard): (image: number) => Matrix {
  const width = mean.length;
  const most = parts[0]?.images ?? 1;
  return (image) => {
    const part = parts[Math.floor(image / most)];
    if (part === undefined) throw new Error(`internal: there are no patch features of image ${image}`);
    const from = (image % most) * part.dimension;
    const out = matrix(part.dimension / width, width);
    for (let i = 0; i < part.dimension; i++) {
      const c = i % width;
      out.values[i] = ((part.values[from + i] ?? 0) - (mean[c] ?? 0)) * (scale[c] ?? 0);
    }
    return out;
  };
}

/** The classes that every probe finds, image by image. */
async function predictions(
  probes: readonly AttentiveProbe[],
  heads: number,
  split: PatchFeatures,
  standard: Standard,
): Promise<readonly Int32Array[]> {
  const found = probes.map(() => new Int32Array(split.images));
  let done = 0;
  for await (const part of split.parts()) {
    const patches = patchReader([part], standard);
    for (let from = 0; from < part.images; from += batchSize) {
      const images = Math.min(batchSize, part.images - from);
      const logits = logitsOf(probes, heads, { images, patches: (i) => patches(from + i) });
      for (const [p, { bias, classes }] of probes.entries()) {
        found[p]?.set(predictedOf(logits[p] ?? matrix(0, 0), bias, classes), done + from);
      }
      await setImmediate();
    }
    done += part.images;
  }
  return found;
}
