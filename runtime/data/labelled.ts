/** Images with labels and without augmentation: what k-NN and linear probes are run on (evaluation.md's protocol). */
import { noHeldOutImages, unknownClass } from "../errors";
import type { AugmentationPlan, Experiment, FileData, ShapesData } from "../experiment";
import { randomAt } from "../random/random";
import type { BadImage } from "./bad-image";
import { type Box, evaluationCrop, randomCrop, type Size } from "./crop";
import type { ImageSet, LookOptions } from "./image-set";
import { openImages, trainPart } from "./open-images";
import { bytesOfImage, writePlanes } from "./pixels";
import { inTurn } from "./prepare";
import { type Cutout, createResampler } from "./resample";
import { createSceneCache } from "./scene-cache";
import { imagesOf, type Split, sceneAt, shapesTasks } from "./shapes/shapes";
import { fileSource, openSource, type SourcePlan } from "./source";

export interface LabelledTask {
  readonly name: string;
  readonly classes: readonly string[];
}

export interface LabelledImages {
  readonly count: number;
  /** Empty where the images have no labels. */
  readonly tasks: readonly LabelledTask[];
  /** The number of the class of every image. */
  labels(task: string): Int32Array;
  /** [count, 3, H, W], bytes; black where an image is bad. */
  pixels(from: number, count: number): Promise<Uint8Array>;
  /** The same images, cut and mirrored at random: another way for every `view`, the same at every call. */
  views(from: number, count: number, how: View): Promise<Uint8Array>;
  /** The file of an image, absolute; null of a rendered scene. */
  file(i: number): string | null;
  /** The file on disk that holds it, where that is a shard of many; null of a rendered scene. */
  holder(i: number): string | null;
  /** Whether an image that was asked for cannot be used: it is left out, never replaced. */
  isBad(index: number): boolean;
}

export interface View {
  readonly view: number;
  readonly augmentation: AugmentationPlan;
}

export interface LabelledOptions {
  readonly experiment: Experiment;
  /** Folder that relative data paths start from. */
  readonly root: string;
  /** What is held out, `validationPath` or a share of `trainPath`, is divided at random: one half is validation, the other test. */
  readonly split: Split;
  /** Most images; of more, a random choice that depends on the seed of the experiment alone. */
  readonly limit: number;
  /** Hears once of every image that cannot be used. */
  readonly badImage?: (image: BadImage) => void;
  /** How long a read that fails is tried again, in milliseconds. */
  readonly patienceMs?: number;
  /** Hears how far it is where looking through the images takes a while. */
  readonly progress?: (line: string) => void;
}

/** Throws R12x and R13x where the images are not there. */
export async function openLabelledImages(options: LabelledOptions): Promise<LabelledImages> {
  const { data } = options.experiment;
  return data.kind === "shapes" ? openShapes(options, data) : openFiles(options, data);
}

/** Those of the images that can be used: each is read. */
export async function usableOf(images: LabelledImages): Promise<LabelledImages> {
  const atOnce = 64;
  for (let from = 0; from < images.count; from += atOnce) {
    await images.pixels(from, Math.min(atOnce, images.count - from));
  }
  const usable = Array.from({ length: images.count }, (_, i) => i).filter((i) => !images.isBad(i));
  if (usable.length === images.count) return images;
  const joined = async (from: number, count: number, read: (i: number) => Promise<Uint8Array>): Promise<Uint8Array> =>
    new Uint8Array(Buffer.concat(await Promise.all(usable.slice(from, from + count).map(read))));
  return {
    count: usable.length,
    tasks: images.tasks,
    labels: (task) => {
      const labels = images.labels(task);
      return Int32Array.from(usable, (i) => labels[i] ?? 0);
    },
    pixels: (from, count) => joined(from, count, (i) => images.pixels(i, 1)),
    views: (from, count, how) => joined(from, count, (i) => images.views(i, 1, how)),
    file: (i) => images.file(usable[i] ?? 0),
    holder: (i) => images.holder(usable[i] ?? 0),
    isBad: () => false,
  };
}

function openShapes({ experiment, split, limit }: LabelledOptions, data: ShapesData): LabelledImages {
  // Scenes are independent of one another: the first are as good as any.
  const count = Math.min(limit, imagesOf(data, split));
  const tasks = shapesTasks(data);
  const labels = new Map(tasks.map(({ name }) => [name as string, new Int32Array(count)]));
  for (let i = 0; i < count; i++) {
    const scene = sceneAt(data, split, i);
    for (const { name, labelOf } of tasks) labels.get(name)?.fill(labelOf(scene), i, i + 1);
  }
  const plan: SourcePlan = { kind: "shapes", data, split, cache: createSceneCache(data, count) };
  // The whole scene: an object at its border counts.
  const whole = ({ width, height }: Size): Box => ({ left: 0, top: 0, width, height });
  return {
    count,
    tasks: tasks.map(({ name, classes }) => ({ name, classes })),
    labels: (task) => labelsOf(labels, task),
    ...pixelReaders({ experiment, plan, indexOf: (i) => i, choose: whole, images: count }),
    file: () => null,
    holder: () => null,
  };
}

async function openFiles(
  { experiment, root, split, limit, badImage = () => {}, patienceMs, progress = () => {} }: LabelledOptions,
  data: FileData,
): Promise<LabelledImages> {
  const { image, seed } = experiment;
  const open = (given: string, what: "train" | "validation", part: Pick<LookOptions, "part">): Promise<ImageSet> =>
    openImages({ root, given, what, progress, ...part }, data);
  const { holdOut } = data;
  const train = split === "train" || data.labels ? await open(data.trainPath, "train", trainPart(data)) : null;
  let set: ImageSet;
  if (split === "train" && train !== null) set = train;
  else if (data.validationPath !== null) set = await open(data.validationPath, "validation", {});
  else {
    if (holdOut === 0) throw noHeldOutImages();
    set = await open(data.trainPath, "train", { part: { holdOut, heldOut: true } });
  }

  const chosen = chosenImages({ seed, split, found: set.images, limit });
  const labels = new Map<string, Int32Array>();
  // Classes are those of the training images, also where held-out ones lack one.
  const classes = train?.classes ?? set.classes;
  const hasLabels = classes.length > 0 && set.classes.length > 0;
  if (hasLabels) {
    const numbers = classNumbers(set, { classes, where: train?.where ?? set.where });
    labels.set(
      "class",
      chosen.map((index) => numbers[index] ?? 0),
    );
  }
  return {
    count: chosen.length,
    tasks: hasLabels ? [{ name: "class", classes }] : [],
    labels: (task) => labelsOf(labels, task),
    ...pixelReaders({
      experiment,
      plan: fileSource(set, data, patienceMs),
      indexOf: (i) => chosen[i] ?? 0,
      choose: (size) => evaluationCrop(size, image),
      images: chosen.length,
      badImage,
    }),
    file: (i) => `${set.where}/${set.nameOf(chosen[i] ?? 0)}`,
    holder: (i) => set.fileOf(chosen[i] ?? 0),
  };
}

/** Numbers of the images of a split, ascending. No image is both in validation, where probes are tuned, and in test. */
function chosenImages(of: {
  readonly seed: number;
  readonly split: Split;
  readonly found: number;
  readonly limit: number;
}): Int32Array {
  const purpose = of.split === "train" ? "data.choice.train" : "data.choice.heldOut";
  const order = randomAt({ seed: of.seed, purpose }).shuffle(Int32Array.from({ length: of.found }, (_, i) => i));
  const half = Math.floor(of.found / 2);
  const parts = { train: order, validation: order.slice(0, half), test: order.slice(half) };
  return parts[of.split].slice(0, of.limit).sort();
}

/** The class of each image by its number among those of the training images. Throws R135 where they do not have it. */
function classNumbers(
  { where: folder, classes: own, labels }: ImageSet,
  train: { readonly classes: readonly string[]; readonly where: string },
): Int32Array {
  const numberOf = new Map(train.classes.map((name, number) => [name, number]));
  const used = new Set(labels);
  const numbers = own.map((found, own) => {
    const number = numberOf.get(found);
    if (number === undefined && used.has(own)) {
      throw unknownClass({ folder, found, trainFolder: train.where, classes: train.classes.length });
    }
    return number ?? 0;
  });
  return labels.map((label) => numbers[label] ?? 0);
}

function labelsOf(labels: ReadonlyMap<string, Int32Array>, task: string): Int32Array {
  const found = labels.get(task);
  if (found === undefined) throw new Error(`internal: the images have no labels for "${task}"`);
  return found;
}

/** Resized images that are kept as bytes between evaluations, in bytes. */
const keptBytes = 256e6;

function pixelReaders(of: {
  readonly experiment: Pick<Experiment, "image" | "seed">;
  readonly plan: SourcePlan;
  readonly indexOf: (i: number) => number;
  readonly choose: (size: Size) => Box;
  readonly images: number;
  readonly badImage?: (image: BadImage) => void;
}): Pick<LabelledImages, "pixels" | "views" | "isBad"> {
  const { plan, indexOf, choose, images } = of;
  const { image, seed } = of.experiment;
  const source = openSource(plan, of.badImage ?? (() => {}));
  const { resample } = createResampler();
  const bytes = bytesOfImage(image);
  const ahead = plan.kind === "files" ? 4 : 0;
  const kept = new Map<number, Uint8Array>();
  const bad = new Set<number>();
  const check = (from: number, count: number): void => {
    if (from < 0 || from + count > images) throw new Error(`internal: images ${from}…${from + count} of ${images}`);
  };

  const pixels = async (from: number, count: number): Promise<Uint8Array> => {
    check(from, count);
    const out = new Uint8Array(count * bytes);
    const write = (rgb: Uint8Array, i: number): void => {
      writePlanes(rgb, image, false, out, (i - from) * bytes);
    };
    const missing: number[] = [];
    for (let i = from; i < from + count; i++) {
      const rgb = kept.get(i);
      if (rgb !== undefined) write(rgb, i);
      else if (!bad.has(i)) missing.push(i);
    }
    await inTurn<Cutout | BadImage>({ count: missing.length, ahead }, (at) => {
      const i = missing[at] ?? 0;
      return {
        cut: source.cut(indexOf(i), choose),
        use: (cut) => {
          if ("why" in cut) {
            bad.add(i);
            return;
          }
          const rgb = resample(cut.image, cut.box, image).slice(0, bytes);
          if ((kept.size + 1) * bytes <= keptBytes) kept.set(i, rgb);
          write(rgb, i);
        },
      };
    });
    return out;
  };

  const views = async (from: number, count: number, { view, augmentation }: View): Promise<Uint8Array> => {
    check(from, count);
    const out = new Uint8Array(count * bytes);
    await inTurn<Cutout | BadImage>({ count, ahead }, (at) => {
      const name = { seed, step: view, sample: from + at };
      const mirrored =
        augmentation.horizontalFlip && randomAt({ ...name, purpose: "evaluation.mirror" }).uniform() < 0.5;
      return {
        cut: source.cut(indexOf(from + at), (size) =>
          randomCrop(randomAt({ ...name, purpose: "evaluation.crop" }), size, augmentation),
        ),
        use: (cut) => {
          if ("why" in cut) bad.add(from + at);
          else writePlanes(resample(cut.image, cut.box, image), image, mirrored, out, at * bytes);
        },
      };
    });
    return out;
  };
  return { pixels, views, isBad: (i) => bad.has(i) };
}
