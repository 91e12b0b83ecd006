/** One evaluation: opens encoder and images, extracts features once, measures what was asked for, and logs it with the run. */
import { relative } from "node:path";
import { collapseSignals } from "../../runtime/evaluate/collapse";
import { chanceOf } from "../../runtime/evaluate/evaluate";
import { type Features, shareOfEqual } from "../../runtime/evaluate/features";
import { nearest, voteOf } from "../../runtime/evaluate/knn";
import { linearProbe, prepareProbe } from "../../runtime/evaluate/linear-probe";
import { pixelSide } from "../../runtime/evaluate/pixels";
import { appendEvent } from "../../runtime/report/jsonl";
import { probedLayers } from "../export/onnx/session";
import { type EncoderChoice, hasOneEncoder } from "../export/source";
import { probeAttention } from "./attentive-probe";
import { createExtractor, type Extractor, lastLayer, pixelFeatures } from "./extract";
import { openFeatureCache } from "./feature-cache";
import { budgetName, budgets, fewLabels } from "./few-labels";
import { type HeadTask, type LayerChoice, probeHeads } from "./heads";
import { type EvaluatedImages, type OfSplits, openImages } from "./images";
import { wilson } from "./interval";
import { labelsGiven } from "./labels";
import { lidar } from "./lidar";
import type { ProbeResults, ProtocolName, RepresentationRow, TaskAccuracy } from "./result";
import { whitened } from "./scatter";
import { type EvaluatedSource, openEvaluated } from "./source";

/** LiDAR converges with about as many images as the features have directions; the paper has 1000 images of 50 views. */
const lidarImages = 512;
const lidarViews = 8;

export interface EvaluateOptions {
  readonly from: string;
  readonly encoder: EncoderChoice;
  readonly protocols: readonly ProtocolName[];
  /** Folder of labelled images; null: the data of the experiment. */
  readonly data: string | null;
  /** As `labelsGiven` reads it; null: those that the images have. */
  readonly labels: string | null;
  /** Spec that says the architecture of weights of others. */
  readonly spec: string | null;
  readonly trainImages: number | null;
  readonly testImages: number | null;
  /** Of the heads and of the attentive probe. */
  readonly epochs: number;
  /** Folder of the feature cache, "off", or null: the usual one. */
  readonly cache: string | null;
  readonly progress: (line: string) => void;
}

/** Throws ExportRefused, SpecRefused or a UserError; nothing is written but the cache, and a line of the run's log. */
export async function evaluateEncoder(options: EvaluateOptions): Promise<ProbeResults> {
  const { from, encoder: choice, spec, protocols, data, trainImages, testImages } = options;
  const source = await openEvaluated({ from, choice, spec });
  const notes = [...source.notes];
  const note = (sentence: string): void => {
    notes.push(sentence);
  };
  try {
    const labelsWanted = protocols.some((name) => name !== "collapse" && name !== "lidar");
    const images = await openImages({
      source,
      data,
      trainImages,
      testImages,
      labelsWanted,
      labels: options.labels === null ? null : labelsGiven(options.labels),
    });
    const extractor = await createExtractor({
      source,
      cache: openFeatureCache({ folder: options.cache, note }),
      note,
      progress: options.progress,
    });
    try {
      const found = await measure({ options, source, images, extractor });
      const results = { ...found, notes: [...notes, ...found.notes, ...images.notes] };
      if (source.log !== null) {
        const time = new Date().toISOString();
        appendEvent(source.log, { event: "probes", step: source.step ?? 0, time, results });
      }
      return results;
    } finally {
      await extractor.close();
    }
  } finally {
    await source.close();
  }
}

interface Parts {
  readonly options: EvaluateOptions;
  readonly source: EvaluatedSource;
  readonly images: EvaluatedImages;
  readonly extractor: Extractor;
}

async function measure({ options, source, images, extractor }: Parts): Promise<ProbeResults> {
  const { protocols, progress } = options;
  const { experiment } = source;
  const { dim } = experiment.encoder;
  const { splits } = images;
  const asks = (name: ProtocolName): boolean => protocols.includes(name);
  const all = await extractor.splits(images);
  const last = ofAll(all, (features) => lastLayer(features, dim));
  const tasks = splits.train.tasks.map(
    ({ name, classes }): HeadTask => ({
      name,
      classes: classes.length,
      labels: ofAll(splits, (split) => split.labels(name)),
    }),
  );

  const layers: readonly LayerChoice[] = [
    { name: "last layer", of: (features) => lastLayer(features, dim) },
    ...(all.train.dimension > dim
      ? [{ name: `last ${probedLayers(experiment)} layers`, of: (features: Features) => features }]
      : []),
  ];
  const represented = async (): Promise<readonly (readonly [string, OfSplits<Features>])[]> => [
    ...layers.map(({ name, of }) => [name, ofAll(all, of)] as const),
    [`raw pixels (${pixelSide}×${pixelSide})`, await pixelFeatures(images, experiment)] as const,
  ];
  const rows: RepresentationRow[] = [];
  if (asks("knn") || asks("linear")) {
    for (const [representation, features] of await represented()) {
      progress(`probes of ${representation}`);
      const found = probes({ features, tasks, plan: experiment.evaluation, knn: asks("knn"), linear: asks("linear") });
      rows.push({ representation, dimension: features.train.dimension, tasks: found });
    }
  }
  if (asks("few-labels")) progress("few labels");
  const few = asks("few-labels")
    ? tasks.flatMap(({ name, classes, labels }) =>
        budgets.flatMap((budget) => {
          const found = fewLabels({ ...last, labels, classes, budget, seed: experiment.seed });
          return found === null ? [] : [{ task: name, ...found }];
        }),
      )
    : [];
  const withoutBudget = asks("few-labels")
    ? tasks.flatMap(({ name }) => {
        const left = budgets
          .map(budgetName)
          .filter((labels) => !few.some((one) => one.task === name && one.labels === labels));
        return left.length === 0 ? [] : [`${name}: the training images are too few for labels of ${left.join(", ")}.`];
      })
    : [];
  const heads = asks("heads")
    ? await probeHeads({
        tasks,
        layers,
        epochs: options.epochs,
        seed: experiment.seed,
        epochFeatures: (epoch) => extractor.epoch(images, epoch),
        validation: all.validation,
        test: all.test,
      })
    : [];
  const attentive = asks("attentive")
    ? await probeAttention({
        tasks,
        heads: experiment.encoder.heads,
        epochs: options.epochs,
        seed: experiment.seed,
        train: extractor.patches(images, "train"),
        validation: extractor.patches(images, "validation"),
        test: extractor.patches(images, "test"),
        progress,
      })
    : [];
  const count = Math.min(lidarImages, splits.train.count);
  const views = asks("lidar") ? await extractor.views(images, { count, views: lidarViews }) : null;
  return {
    experiment: experiment.name,
    checkpoint: relative(".", source.path) || source.path,
    encoder: hasOneEncoder(experiment) ? "only" : source.choice,
    step: source.step,
    data: images.what,
    images: ofAll(splits, (split) => split.count),
    neighbours: experiment.evaluation.knnNeighbours,
    protocols,
    tasks: tasks.map(({ name, classes, labels: { train, test } }) => ({
      name,
      classes,
      chance: chanceOf(train, test, classes),
    })),
    rows,
    fewLabels: few,
    heads,
    attentive,
    collapse: asks("collapse") ? collapseSignals(last.train) : null,
    lidar: views === null ? null : { value: lidar(views), images: count, views: lidarViews },
    notes: withoutBudget,
  };
}

const ofAll = <A, B>({ train, validation, test }: OfSplits<A>, of: (split: A) => B) => ({
  train: of(train),
  validation: of(validation),
  test: of(test),
});

/** k-NN and linear probe of one representation, task by task. */
export function probes(what: {
  readonly features: OfSplits<Features>;
  readonly tasks: readonly HeadTask[];
  readonly plan: { readonly knnNeighbours: number; readonly knnTemperature: number };
  readonly knn: boolean;
  readonly linear: boolean;
}): readonly TaskAccuracy[] {
  const { features, tasks, plan } = what;
  const { train, validation, test } = features;
  const near = what.knn ? nearest(train, test, plan.knnNeighbours) : null;
  const [white, whiteTest] = what.knn ? whitened(train, [test]) : [];
  const nearWhite =
    white === undefined || whiteTest === undefined ? null : nearest(white, whiteTest, plan.knnNeighbours);
  const probe = what.linear ? prepareProbe(train, validation, test) : null;
  return tasks.map(({ name, classes, labels }): TaskAccuracy => {
    const vote = (found: ReturnType<typeof nearest>) =>
      wilson(shareOfEqual(voteOf(found, labels.train, classes, plan.knnTemperature), labels.test), test.images);
    const linear = probe === null ? null : linearProbe(probe, labels, classes);
    return {
      task: name,
      ...(near === null ? {} : { knn: vote(near) }),
      ...(nearWhite === null ? {} : { knnWhitened: vote(nearWhite) }),
      ...(linear === null ? {} : { linear: { ...wilson(linear.testAccuracy, test.images), l2: linear.l2 } }),
    };
  });
}
