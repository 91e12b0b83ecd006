/** The labelled images that an encoder is judged on: those of its own experiment, or of a folder. */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { BadImage } from "../../runtime/data/bad-image";
import { type LabelledImages, openLabelledImages, usableOf } from "../../runtime/data/labelled";
import { splitTooSmall } from "../../runtime/errors";
import { type SplitName, splitNames } from "../../runtime/evaluate/evaluate";
import type { AugmentationPlan, DataPlan, Experiment } from "../../runtime/experiment";
import { ExportRefused } from "../export/refused";
import { dataOf, givenImages } from "../given-images";
import { type GivenLabels, withLabels } from "./labels";
import { ownData } from "./result";
import type { EvaluatedSource } from "./source";

export type OfSplits<T> = Readonly<Record<SplitName, T>>;

export interface EvaluatedImages {
  /** What they are, in a few words. */
  readonly what: string;
  readonly splits: OfSplits<LabelledImages>;
  /** How views are cut: as in training for rendered scenes, else as published. */
  readonly augmentation: AugmentationPlan;
  /** Hash of which images they are, by split. */
  readonly listing: OfSplits<string>;
  /** Of files that could not be decoded, filled while images are read. */
  readonly notes: string[];
}

/** Fewer say nothing. */
const leastImages = 16;
/** Share of a folder without a validation folder that is kept aside, by a hash of the names. */
const heldOutShare = 0.2;
/** torchvision's RandomResizedCrop and a flip, which the published probe trains on (docs/reference.md §10). */
const publishedViews: AugmentationPlan = { cropScale: [0.08, 1], cropAspect: [3 / 4, 4 / 3], horizontalFlip: true };

/** Throws R13x, R151, and ExportRefused where `data` is no folder, or labels are `wanted` and say nothing. */
export async function openImages(what: {
  readonly source: EvaluatedSource;
  readonly data: string | null;
  readonly trainImages: number | null;
  readonly testImages: number | null;
  readonly labelsWanted: boolean;
  /** Null: those that the images have. */
  readonly labels: GivenLabels | null;
}): Promise<EvaluatedImages> {
  const { source, data } = what;
  const { evaluation } = source.experiment;
  const experiment = data === null ? source.experiment : withGiven(source.experiment, data);
  const root = data === null ? source.root : ".";
  const notes: string[] = [];
  const limits: OfSplits<number> = {
    train: what.trainImages ?? evaluation.trainImages,
    validation: what.testImages ?? evaluation.testImages,
    test: what.testImages ?? evaluation.testImages,
  };
  const open = async (split: SplitName): Promise<LabelledImages> => {
    const badImage = ({ file, reason, why }: BadImage): void => {
      notes.push(`${file} cannot be used: ${reason} (${why}); it is left out.`);
    };
    const ofData = (plan: DataPlan): Promise<LabelledImages> =>
      openLabelledImages({ experiment: { ...experiment, data: plan }, root, split, limit: limits[split], badImage });
    const { labels } = what;
    const plan = experiment.data;
    const opened = labels === null ? ofData(plan) : withLabels({ given: labels, data: plan, named, open: ofData });
    if (labels !== null && split === "train") checkClasses(await opened, named);
    return usableOf(await opened);
  };
  const named = data ?? source.path;
  const splits = { train: await open("train"), validation: await open("validation"), test: await open("test") };
  for (const split of splitNames) {
    const { count, tasks } = splits[split];
    if (count < leastImages) throw splitTooSmall({ split, images: count, least: leastImages });
    if (!what.labelsWanted) continue;
    const [first] = tasks;
    if (first === undefined) throw new ExportRefused(named, errors.imagesWithoutLabels());
    const lonely = tasks.find(({ name }) => new Set(splits[split].labels(name)).size < 2);
    if (lonely !== undefined) throw new ExportRefused(named, errors.oneClass({ task: lonely.name, split }));
  }
  const isScenes = experiment.data.kind === "shapes";
  return {
    what: data ?? (isScenes ? ownData.scenes : ownData.images),
    splits,
    augmentation: isScenes ? experiment.augmentation : publishedViews,
    listing: {
      train: listingOf(experiment, "train", splits.train),
      validation: listingOf(experiment, "validation", splits.validation),
      test: listingOf(experiment, "test", splits.test),
    },
    notes,
  };
}

/** Before a held-out image is looked for among classes that are none. */
function checkClasses({ count: images, tasks }: LabelledImages, named: string): void {
  const many = tasks.find(({ classes }) => 2 * classes.length > images);
  if (many === undefined) return;
  const { name: task, classes } = many;
  throw new ExportRefused(named, errors.labelsAreNoClasses({ task, classes: classes.length, images }));
}

/** Images of classes; or a folder with training and held-out ones in it, as data sets are handed around. */
function withGiven(experiment: Experiment, given: string): Experiment {
  if (!/[*?{]/.test(given) && !existsSync(given)) throw new ExportRefused(given, errors.fileMissing({ near: null }));
  const found = givenImages(given);
  if (found === null) throw new ExportRefused(given, errors.noLabelledFolder());
  const isSplit = found.validation !== null;
  const { kind, validation } = found;
  const train = kind === "folder" && !isSplit ? found.all : found.train;
  const data = dataOf(given, { kind, train, validation }, { holdOut: isSplit ? 0 : heldOutShare, labels: true });
  return { ...experiment, data };
}

/** Changes where an image does: name, size and time of every file, or what scenes follow from. */
function listingOf({ data, generatorVersion }: Experiment, split: SplitName, images: LabelledImages): string {
  const hash = createHash("sha256").update(`${split} ${images.count}\n`);
  if (data.kind === "shapes") return hash.update(JSON.stringify([data, generatorVersion])).digest("hex");
  for (let i = 0; i < images.count; i++) hash.update(`${images.file(i)} ${stampOf(images.holder(i))}`);
  return hash.digest("hex");
}

export function stampOf(file: string | null): string {
  const info = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
  return `${file} ${info?.size} ${info?.mtimeMs}\n`;
}
