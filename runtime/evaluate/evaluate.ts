/**
 * How much a representation knows of labels that training never saw: linear probe and k-NN of the target encoder, beside
 * the same encoder at random initialization and raw pixels. The features are frozen; the test split is used once.
 */
import { setImmediate } from "node:timers/promises";
import { featuresNotFinite, splitsDisagree, splitTooSmall } from "../errors";
import type { EvaluationPlan } from "../experiment";
import { aloneCommunicator } from "../ranks/alone";
import { collapseSignals } from "./collapse";
import { type EvaluationReport, type ReportRow, type ReportTask, rowLine } from "./evaluation-report";
import { type EvaluatedEncoder, type Features, rowsOf, shareOfEqual } from "./features";
import { nearest, voteOf } from "./knn";
import { linearProbe, prepareProbe } from "./linear-probe";
import { downsample, type PixelImage, pixelSide } from "./pixels";
import { type EvaluatingRanks, failingTogether, sharedFeatures, usableImages } from "./shared-features";
import { atMost, joined, type LabelledSplit, type LabelTask } from "./split";

export type { EvaluatedEncoder } from "./features";
export { halvesOf, type LabelledSplit, type LabelTask } from "./split";

export const splitNames = ["train", "validation", "test"] as const;
export type SplitName = (typeof splitNames)[number];
type OfSplits<T> = Readonly<Record<SplitName, T>>;

const joinedFeatures = (parts: readonly Float32Array[]): Float32Array =>
  joined(parts, (length) => new Float32Array(length));

/** Fewer say nothing, and their accuracy has a standard error above 13 points. */
const leastImages = 16;

/**
 * The ranks of a run share the images out, and all call it; the report is rank 0's, the others get null. Null on all where
 * one of them was asked to stop.
 */
export async function evaluate(what: {
  readonly labelled: OfSplits<LabelledSplit>;
  readonly encoders: readonly EvaluatedEncoder[];
  readonly plan: EvaluationPlan;
  readonly image: PixelImage;
  readonly log: (line: string) => void;
  /** Images that an encoder is given at once; the last time it may be fewer. */
  readonly batch?: number;
  /** Whether raw pixels are evaluated too; they are the same at every epoch. */
  readonly rawPixels?: boolean;
  /** Asked between the parts; true breaks off, with null as the result. */
  readonly isStopping?: () => boolean;
  /** Hears the features of the training images by each encoder; of rank 0 alone. */
  readonly seen?: (encoder: EvaluatedEncoder, train: Features) => void;
  /** Left out: this process has all images. */
  readonly ranks?: EvaluatingRanks;
}): Promise<EvaluationReport | null> {
  const { encoders, plan, image, log } = what;
  const ranks = what.ranks ?? aloneCommunicator();
  const labelled = await failingTogether(ranks, async () => splitsFor(plan, what.labelled));
  const pixels: EvaluatedEncoder = {
    name: `raw pixels (${pixelSide}×${pixelSide})`,
    features: async (batch, count) => downsample(batch, count, image),
  };
  const evaluated = what.rawPixels === false ? encoders : [...encoders, pixels];
  const features: OfSplits<Features[]> = { train: [], validation: [], test: [] };
  const usable: OfSplits<number[]> = { train: [], validation: [], test: [] };
  const isStopping = what.isStopping ?? (() => false);
  const how = { encoders: evaluated, batch: what.batch ?? 64, ranks, isStopping };
  for (const name of splitNames) {
    const found = await sharedFeatures({ split: labelled[name], ...how });
    if (found === null) return null;
    const rows = await usableImages(labelled[name], ranks);
    features[name].push(...found.map((all) => rowsOf(all, rows)));
    usable[name].push(...rows);
    const leftOut = labelled[name].count - rows.length;
    if (leftOut > 0) log(`${leftOut} ${name} images cannot be used and are left out of the evaluation.`);
    if (rows.length < leastImages) throw splitTooSmall({ split: name, images: rows.length, least: leastImages });
  }
  if (ranks.rank !== 0) return null;
  const labelsOf = (split: SplitName, task: string): Int32Array => {
    const labels = labelled[split].labels(task);
    return Int32Array.from(usable[split], (i) => labels[i] ?? 0);
  };
  const tasks = labelled.train.tasks.map(({ name, classes }) => ({
    name,
    classes,
    labels: {
      train: labelsOf("train", name),
      validation: labelsOf("validation", name),
      test: labelsOf("test", name),
    },
  }));
  const rows: ReportRow[] = [];
  for (const [i, encoder] of evaluated.entries()) {
    const { name, features: encode } = encoder;
    const [train, validation, test] = [features.train[i], features.validation[i], features.test[i]];
    if (isStopping()) return null;
    if (train === undefined || validation === undefined || test === undefined) continue;
    const row = await evaluateRepresentation({
      name,
      features: { train, validation, test },
      tasks,
      plan,
      collapse: encode !== pixels.features,
    });
    rows.push(row);
    if (encode !== pixels.features) what.seen?.(encoder, train);
    log(`Evaluated ${name}: ${rowLine(row, tasks)}`);
  }
  return {
    trainImages: usable.train.length,
    validationImages: usable.validation.length,
    testImages: usable.test.length,
    neighbours: plan.knnNeighbours,
    tasks: tasks.map(
      ({ name, classes, labels: { train, test } }): ReportTask => ({
        name,
        classes,
        chance: chanceOf(train, test, classes),
      }),
    ),
    rows,
  };
}

/** One row of the report, from features that are already computed. */
export async function evaluateRepresentation(what: {
  readonly name: string;
  readonly features: OfSplits<Features>;
  readonly tasks: readonly (LabelTask & { readonly labels: OfSplits<Int32Array> })[];
  readonly plan: Pick<EvaluationPlan, "knnNeighbours" | "knnTemperature">;
  /** Whether RankMe and spread are computed. */
  readonly collapse: boolean;
}): Promise<ReportRow> {
  const { name, features, tasks, plan } = what;
  for (const split of splitNames) {
    if (!features[split].values.every(Number.isFinite)) throw featuresNotFinite({ name, split });
  }
  // Every part takes up to a second; between them signals and timers get their turn.
  const found = nearest(features.train, features.test, plan.knnNeighbours);
  await setImmediate();
  const probe = prepareProbe(features.train, features.validation, features.test);
  await setImmediate();
  const results: ReportRow["tasks"][number][] = [];
  for (const { classes, labels } of tasks) {
    const { testAccuracy, l2 } = linearProbe(probe, labels, classes);
    const votes = voteOf(found, labels.train, classes, plan.knnTemperature);
    results.push({ linearProbe: testAccuracy, knn: shareOfEqual(votes, labels.test), l2 });
    await setImmediate();
  }
  return {
    representation: name,
    dimension: features.train.dimension,
    tasks: results,
    collapse: what.collapse ? collapseSignals(features.train) : null,
  };
}

/**
 * Features of an engine that runs a fixed number of images: the last images of a split are filled up with blank ones, whose
 * features are dropped.
 */
export function paddedFeatures(
  batch: number,
  run: (images: Uint8Array) => Promise<Float32Array>,
): EvaluatedEncoder["features"] {
  return async (images, count) => {
    const size = images.length / count;
    const parts: Float32Array[] = [];
    for (let from = 0; from < count; from += batch) {
      const taken = Math.min(batch, count - from);
      const given = images.subarray(from * size, (from + taken) * size);
      const full = taken === batch ? given : new Uint8Array(batch * size);
      if (full !== given) full.set(given);
      const features = await run(full);
      parts.push(features.slice(0, (features.length / batch) * taken));
    }
    return joinedFeatures(parts);
  };
}

/** Accuracy on `test` of the class that is most frequent in `train`. */
export function chanceOf(train: Int32Array, test: Int32Array, classes: number): number {
  const counts = new Int32Array(classes);
  for (const label of train) counts[label] = (counts[label] ?? 0) + 1;
  const most = counts.indexOf(Math.max(...counts));
  return test.filter((label) => label === most).length / test.length;
}

/** What an evaluation by this plan looks at. Throws UserError R151 or R152 where the splits do not serve it. */
export function splitsFor(plan: EvaluationPlan, all: OfSplits<LabelledSplit>): OfSplits<LabelledSplit> {
  const labelled = {
    train: atMost(all.train, plan.trainImages),
    // As many as are tested on, so that the choice of the strength is as exact as its report.
    validation: atMost(all.validation, plan.testImages),
    test: atMost(all.test, plan.testImages),
  };
  checkSplits(labelled);
  return labelled;
}

function checkSplits(labelled: OfSplits<LabelledSplit>): void {
  const describe = (tasks: readonly LabelTask[]): string =>
    tasks.map(({ name, classes }) => `${name} (${classes})`).join(", ") || "none";
  const wanted = describe(labelled.train.tasks);
  for (const split of splitNames) {
    const images = labelled[split].count;
    if (images < leastImages) throw splitTooSmall({ split, images, least: leastImages });
    const found = describe(labelled[split].tasks);
    if (found !== wanted) throw splitsDisagree({ split, found, wanted });
    for (const { name, classes } of labelled[split].tasks) {
      const labels = labelled[split].labels(name);
      if (labels.length !== images || labels.some((label) => label < 0 || label >= classes)) {
        throw new Error(`internal: the ${split} labels of ${name} are not ${images} numbers from 0 to ${classes - 1}`);
      }
    }
  }
}
