/** Features of images as files for other programs: one row for each image, in the order of the names. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type LabelledImages, openLabelledImages } from "../../runtime/data/labelled";
import { featuresNotFinite } from "../../runtime/errors";
import { hashOfWeights, openEvaluated } from "../evaluate/source";
import { imagesOf } from "../export/images";
import { type EncoderSession, openEncoder, probedLayers } from "../export/onnx/session";
import { ExportRefused } from "../export/refused";
import type { EncoderChoice } from "../export/source";
import { arrays } from "./arrays";
import type { EmbeddedFeatures, EmbedFormat, WrittenFile } from "./format";
import { openWithLabels } from "./labels";
import { table } from "./table";

const batch = 16;

/** By how a name ends. */
const formats = { ".npy": arrays, ".parquet": table } as const satisfies Readonly<Record<string, EmbedFormat>>;
export const embedEndings: readonly string[] = Object.keys(formats);

/** Null of a name that ends otherwise. */
function formatOf(out: string): EmbedFormat | null {
  return Object.entries(formats).find(([ending]) => out.endsWith(ending))?.[1] ?? null;
}

export interface EmbedOptions {
  readonly from: string;
  readonly encoder: EncoderChoice;
  readonly spec: string | null;
  /** Folder of images, at any depth; or tar shards or parquet files. */
  readonly images: string;
  /** `F.npy`: patch features go to `F-patches.npy`, the names of the images to `F-files.txt`. `F.parquet`: all of it. */
  readonly out: string;
  readonly patches: boolean;
  readonly progress: (line: string) => void;
}

export interface Embedded {
  readonly images: number;
  readonly written: readonly WrittenFile[];
  readonly notes: readonly string[];
}

/** Throws ExportRefused, SpecRefused or a UserError; then nothing was written. */
export async function embed(options: EmbedOptions): Promise<Embedded> {
  const { from, encoder: choice, spec, images: given, out } = options;
  const format = formatOf(out);
  if (format === null) throw new Error(`internal: features are not written as ${out}`);
  const wanted = format.files(out, options.patches);
  const taken = wanted.find((path) => existsSync(path));
  if (taken !== undefined) throw new ExportRefused(taken, errors.featuresInTheWay());
  const isPattern = /[*?{]/.test(given);
  if (!isPattern && !existsSync(given)) throw new ExportRefused(given, errors.fileMissing({ near: null }));
  const data = imagesOf(given);
  const source = await openEvaluated({ from, choice, spec });
  const drafts = wanted.map((path) => ({
    path,
    draft: resolve(dirname(path), `.${basename(path)}.${process.pid}.tmp`),
  }));
  const draftOf = (path: string): string => drafts.find((one) => one.path === path)?.draft ?? path;
  try {
    const weights = await hashOfWeights(source);
    const { experiment } = source;
    const { images, labels, notes } = await openWithLabels(given, (wantsLabels) =>
      openLabelledImages({
        experiment: { ...experiment, data: { ...data, labels: wantsLabels } },
        root: ".",
        split: "train",
        limit: Number.POSITIVE_INFINITY,
        // Who joins features to names must not get those of another image.
        badImage: ({ file, why }) => {
          throw new ExportRefused(`${given}/${file}`, errors.embeddedImageUnreadable({ why }));
        },
      }),
    );
    const { gridHeight, gridWidth } = experiment.image;
    const encoder = await openEncoder(source);
    const features = featuresOf({
      encoder,
      images,
      progress: options.progress,
      layers: probedLayers(experiment),
      width: experiment.encoder.dim,
      patches: options.patches ? gridHeight * gridWidth : null,
      notFinite: () => featuresNotFinite({ name: `${choice} encoder`, split: given }),
    });
    const names = Array.from({ length: images.count }, (_, i) => images.file(i) ?? "");
    const facts = { experiment: experiment.name, encoder: choice, weights, grid: `${gridHeight}x${gridWidth}` };
    const written = await format
      .write({ out, draftOf, images: { names, labels }, features, facts })
      .finally(() => encoder.close());
    for (const { path, draft } of drafts) renameSync(draft, path);
    return { images: images.count, written, notes: [...source.notes, ...notes] };
  } finally {
    for (const { draft } of drafts) rmSync(draft, { force: true });
    await source.close();
  }
}

function featuresOf(of: {
  readonly encoder: EncoderSession;
  readonly images: LabelledImages;
  readonly progress: (line: string) => void;
  readonly layers: number;
  readonly width: number;
  readonly patches: number | null;
  readonly notFinite: () => Error;
}): EmbeddedFeatures {
  const { encoder, images, layers, width, patches } = of;
  const { count } = images;
  const finite = (values: Float32Array): Float32Array => {
    if (!values.every(Number.isFinite)) throw of.notFinite();
    return values;
  };
  async function* batches<T>(name: string, make: (bytes: Uint8Array, images: number) => Promise<T>): AsyncGenerator<T> {
    for (let from = 0; from < count; from += batch) {
      const taken = Math.min(batch, count - from);
      const made = await make(await images.pixels(from, taken), taken);
      of.progress(`${name}: ${from + taken} of ${count} images`);
      yield made;
    }
  }
  const lastLayer = async (bytes: Uint8Array, taken: number): Promise<Float32Array> => {
    const all = await encoder.pooled(bytes, taken);
    const last = new Float32Array(taken * width);
    for (let i = 0; i < taken; i++) {
      last.set(all.subarray(i * layers * width, (i * layers + 1) * width), i * width);
    }
    return finite(last);
  };
  return {
    width,
    patches,
    pooled: (name) => batches(name, lastLayer),
    ofPatches: (name) => batches(name, async (bytes, taken) => finite(await encoder.patches(bytes, taken))),
    both: (name) =>
      batches(name, async (bytes, taken) => {
        if (patches === null) return { pooled: await lastLayer(bytes, taken), patches: new Float32Array() };
        const both = await encoder.both(bytes, taken);
        return { pooled: finite(both.pooled), patches: finite(both.patches) };
      }),
  };
}
