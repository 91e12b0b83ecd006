/** Features of a folder of images as arrays for other programs: one row for each image, in the order of the names. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import { writeAtomically } from "../../runtime/checkpoint/atomic";
import { openLabelledImages } from "../../runtime/data/labelled";
import { featuresNotFinite } from "../../runtime/errors";
import { hashOfWeights, openEvaluated } from "../evaluate/source";
import { imagesOf } from "../export/images";
import { openEncoder, probedLayers } from "../export/onnx/session";
import { ExportRefused } from "../export/refused";
import type { EncoderChoice } from "../export/source";
import { writeNpy } from "./npy";

const batch = 16;

export interface EmbedOptions {
  readonly from: string;
  readonly encoder: EncoderChoice;
  readonly spec: string | null;
  /** Folder of images, at any depth; or tar shards or parquet files. */
  readonly images: string;
  /** `F.npy`; patch features go to `F-patches.npy`, the names of the images to `F-files.txt`. */
  readonly out: string;
  readonly patches: boolean;
  readonly progress: (line: string) => void;
}

export interface Embedded {
  readonly images: number;
  readonly written: readonly { readonly path: string; readonly shape: readonly number[] }[];
  readonly notes: readonly string[];
}

/** Throws ExportRefused, SpecRefused or a UserError; then nothing was written. */
export async function embed(options: EmbedOptions): Promise<Embedded> {
  const { from, encoder: choice, spec, images: folder, out } = options;
  const stem = out.replace(/\.npy$/, "");
  const files = { pooled: out, patches: `${stem}-patches.npy`, names: `${stem}-files.txt` };
  const wanted = options.patches ? Object.values(files) : [files.pooled, files.names];
  const taken = wanted.find((path) => existsSync(path));
  if (taken !== undefined) throw new ExportRefused(taken, errors.featuresInTheWay());
  const isPattern = /[*?{]/.test(folder);
  if (!isPattern && !existsSync(folder)) throw new ExportRefused(folder, errors.fileMissing({ near: null }));
  const data = imagesOf(folder);
  const source = await openEvaluated({ from, choice, spec });
  const drafts = wanted.map((path) => ({
    path,
    draft: resolve(dirname(path), `.${basename(path)}.${process.pid}.tmp`),
  }));
  const draftOf = (path: string): string => drafts.find((one) => one.path === path)?.draft ?? path;
  const notes = [...source.notes];
  try {
    await hashOfWeights(source);
    const { experiment } = source;
    const opened = await openLabelledImages({
      experiment: { ...experiment, data },
      root: ".",
      split: "train",
      limit: Number.POSITIVE_INFINITY,
      // Who joins features to names must not get those of another image.
      badImage: ({ file, why }) => {
        throw new ExportRefused(`${folder}/${file}`, errors.embeddedImageUnreadable({ why }));
      },
    });
    const encoder = await openEncoder(source);
    const { count } = opened;
    const { dim } = experiment.encoder;
    const { gridHeight, gridWidth } = experiment.image;
    const written: { readonly path: string; readonly shape: readonly number[] }[] = [];
    const array = async (
      path: string,
      shape: readonly number[],
      of: (bytes: Uint8Array, images: number) => Promise<Float32Array>,
    ): Promise<void> => {
      async function* parts(): AsyncGenerator<Float32Array> {
        for (let from = 0; from < count; from += batch) {
          const taken = Math.min(batch, count - from);
          const values = await of(await opened.pixels(from, taken), taken);
          if (!values.every(Number.isFinite)) throw featuresNotFinite({ name: `${choice} encoder`, split: folder });
          options.progress(`${path}: ${from + taken} of ${count} images`);
          yield values;
        }
      }
      await writeNpy(draftOf(path), shape, parts());
      written.push({ path, shape });
    };
    try {
      const layers = probedLayers(experiment);
      await array(files.pooled, [count, dim], async (bytes, images) => {
        const all = await encoder.pooled(bytes, images);
        const last = new Float32Array(images * dim);
        for (let i = 0; i < images; i++) last.set(all.subarray(i * layers * dim, (i * layers + 1) * dim), i * dim);
        return last;
      });
      if (options.patches) await array(files.patches, [count, gridHeight * gridWidth, dim], encoder.patches);
    } finally {
      await encoder.close();
    }
    const names = Array.from({ length: count }, (_, i) => `${opened.file(i)}\n`).join("");
    async function* text(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(names);
    }
    await writeAtomically(draftOf(files.names), text(), names.length);
    written.push({ path: files.names, shape: [count] });
    for (const { path, draft } of drafts) renameSync(draft, path);
    return { images: count, written, notes };
  } finally {
    for (const { draft } of drafts) rmSync(draft, { force: true });
    await source.close();
  }
}
