/** Features of images by an encoder that is opened when it is first needed, and read from the cache where they are there. */
import type { LabelledImages } from "../../runtime/data/labelled";
import { featuresNotFinite } from "../../runtime/errors";
import type { SplitName } from "../../runtime/evaluate/evaluate";
import type { Features } from "../../runtime/evaluate/features";
import { downsample } from "../../runtime/evaluate/pixels";
import type { AugmentationPlan, Experiment } from "../../runtime/experiment";
import { cacheKey } from "../../runtime/file-cache";
import { type EncoderSession, openEncoder, probedLayers } from "../export/onnx/session";
import type { PatchFeatures } from "./attentive-probe";
import type { FeatureCache } from "./feature-cache";
import type { EvaluatedImages, OfSplits } from "./images";
import type { Views } from "./lidar";
import { type EvaluatedSource, hashOfWeights } from "./source";

const batch = 32;
/** Patch features of `part` bytes are one entry of the cache; those of the training images lie in memory together. */
const patchBytes = { part: 2 ** 28, train: 2 ** 31 };
/** Part of every key: another number where the same weights and images begin to give other features. */
const VERSION = 1;

export interface Extractor {
  /** Pooled features of the three splits, all probed layers side by side, the last layer first. */
  splits(images: EvaluatedImages): Promise<OfSplits<Features>>;
  /** Of the first `count` training images, each cut at random `views` times. */
  views(images: EvaluatedImages, how: { readonly count: number; readonly views: number }): Promise<Views>;
  /** Features of every patch of the last layer; of the training images as many, evenly over all, as memory takes. */
  patches(images: EvaluatedImages, split: SplitName): PatchFeatures;
  /** All training images, cut and mirrored as view number `view`; not kept on disk. */
  epoch(images: EvaluatedImages, view: number): Promise<Features>;
  close(): Promise<void>;
}

export async function createExtractor(what: {
  readonly source: EvaluatedSource;
  readonly cache: FeatureCache;
  readonly note: (sentence: string) => void;
  /** Hears of how far the slow part is. */
  readonly progress: (what: string) => void;
  /** Left out: as much as a machine of 8 GiB bears. */
  readonly most?: typeof patchBytes;
}): Promise<Extractor> {
  const { source, cache, note, progress, most: mostBytes = patchBytes } = what;
  const { experiment } = source;
  const weights = await hashOfWeights(source);
  const layers = probedLayers(experiment);
  let opened: Promise<EncoderSession> | null = null;
  const encoder = (): Promise<EncoderSession> => {
    opened ??= openEncoder(source);
    return opened;
  };

  const cached = async (of: unknown, label: string, make: () => Promise<Features>): Promise<Features> => {
    const key = cacheKey([JSON.stringify([VERSION, weights, layers, experiment.seed, of])]);
    const found = cache.get(key, label);
    if (found !== undefined) return found;
    const made = await make();
    const name = `${source.choice} encoder`;
    if (!made.values.every(Number.isFinite)) throw featuresNotFinite({ name, split: label });
    cache.put(key, made);
    return made;
  };
  const encoded = async (
    label: string,
    count: number,
    read: (from: number, count: number) => Promise<Uint8Array>,
  ): Promise<Features> => {
    const { pooled } = await encoder();
    const dimension = layers * experiment.encoder.dim;
    const values = new Float32Array(count * dimension);
    for (let from = 0; from < count; from += batch) {
      const taken = Math.min(batch, count - from);
      values.set(await pooled(await read(from, taken), taken), from * dimension);
      progress(`${label}: ${from + taken} of ${count} images`);
    }
    return { images: count, dimension, values };
  };
  const ofSplit = (images: EvaluatedImages, split: SplitName): Promise<Features> => {
    const { count, pixels } = images.splits[split];
    return cached(["split", images.listing[split]], split, () => encoded(split, count, pixels));
  };
  const ofView = (of: LabelledImages, count: number, view: number, augmentation: AugmentationPlan, label: string) =>
    encoded(label, count, (from, taken) => of.views(from, taken, { view, augmentation }));

  return {
    splits: async (images) => ({
      train: await ofSplit(images, "train"),
      validation: await ofSplit(images, "validation"),
      test: await ofSplit(images, "test"),
    }),
    views: async (images, { count, views }) => {
      const { augmentation, splits, listing } = images;
      const { dim } = experiment.encoder;
      const values = new Float32Array(count * views * dim);
      for (let view = 0; view < views; view++) {
        const label = `view ${view + 1} of ${views}`;
        const key = ["view", listing.train, augmentation, count, view];
        const found = await cached(key, label, () => ofView(splits.train, count, view, augmentation, label));
        for (let i = 0; i < count; i++) {
          const last = found.values.subarray(i * found.dimension, i * found.dimension + dim);
          values.set(last, (i * views + view) * dim);
        }
      }
      return { images: count, views, dimension: dim, values };
    },
    patches: ({ splits, listing }, split) => {
      const { dim } = experiment.encoder;
      const { gridHeight, gridWidth } = experiment.image;
      const patches = gridHeight * gridWidth;
      const bytes = 4 * patches * dim;
      const { count, pixels } = splits[split];
      const most = split === "train" ? Math.max(1, Math.floor(mostBytes.train / bytes)) : count;
      const rows = evenly(count, Math.min(most, count));
      if (rows.length < count) {
        note(
          `The attentive probe is trained on ${rows.length} of the ${count} training images: their patch features take ${mostBytes.train / 2 ** 30} GiB.`,
        );
      }
      const ofPart = Math.max(1, Math.floor(mostBytes.part / bytes));
      const read = async (from: number, taken: number): Promise<Features> => {
        const values = new Float32Array(taken * patches * dim);
        const { patches: encode } = await encoder();
        for (let at = 0; at < taken; at += batch) {
          const some = rows.slice(from + at, from + Math.min(at + batch, taken));
          const each = await Promise.all(some.map((row) => pixels(row, 1)));
          values.set(await encode(new Uint8Array(Buffer.concat(each)), some.length), at * patches * dim);
          progress(`patches of ${split}: ${from + at + some.length} of ${rows.length} images`);
        }
        return { images: taken, dimension: patches * dim, values };
      };
      async function* parts(): AsyncGenerator<Features> {
        for (let from = 0; from < rows.length; from += ofPart) {
          const taken = Math.min(ofPart, rows.length - from);
          const key = ["patches", listing[split], rows.length, from, taken];
          yield await cached(key, `patches of ${split}`, () => read(from, taken));
        }
      }
      return { images: rows.length, patches, width: dim, rows, parts };
    },
    epoch: async ({ augmentation, splits: { train } }, view) =>
      ofView(train, train.count, view, augmentation, `epoch ${view + 1}`),
    close: async () => {
      await (await opened?.catch(() => null))?.close();
    },
  };
}

/** So many numbers below `count`, evenly over all: files in folders are sorted by class. */
const evenly = (count: number, taken: number): readonly number[] =>
  Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));

/** The first columns: those of the last layer. */
export function lastLayer({ images, dimension, values }: Features, dim: number): Features {
  if (dimension === dim) return { images, dimension, values };
  const out = new Float32Array(images * dim);
  for (let i = 0; i < images; i++) out.set(values.subarray(i * dimension, i * dimension + dim), i * dim);
  return { images, dimension: dim, values: out };
}

/** The images themselves, averaged down: what any encoder has to beat. */
export async function pixelFeatures(
  { splits }: EvaluatedImages,
  { image }: Pick<Experiment, "image">,
): Promise<OfSplits<Features>> {
  const of = async ({ count, pixels }: LabelledImages): Promise<Features> => {
    const parts: Float32Array[] = [];
    for (let from = 0; from < count; from += batch) {
      const taken = Math.min(batch, count - from);
      parts.push(downsample(await pixels(from, taken), taken, image));
    }
    const dimension = (parts[0]?.length ?? 0) / Math.min(batch, count);
    const values = new Float32Array(count * dimension);
    for (const [i, part] of parts.entries()) values.set(part, i * batch * dimension);
    return { images: count, dimension, values };
  };
  return { train: await of(splits.train), validation: await of(splits.validation), test: await of(splits.test) };
}
