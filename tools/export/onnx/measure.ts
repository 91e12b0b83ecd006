/** What a smaller number format costs, measured: the same images through the exact model and through the small one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { openLabelledImages, usableOf } from "../../../runtime/data/labelled";
import { switchOffTelemetry } from "../../../runtime/engines/onnx/telemetry";
import type { Experiment } from "../../../runtime/experiment";
import type { ExportRequest } from "../format";
import { imagesOf } from "../images";
import { ExportRefused } from "../refused";
import { OUTPUT } from "./graph";
import { writeEncoderModel } from "./model";

const mostImages = 64;
const batch = 16;

/** One sentence. Throws R13x where the images cannot be read, ExportRefused where none are known. */
export async function lossOf({ source, precision, images }: ExportRequest, small: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-export-"));
  try {
    const exact = join(folder, "model.onnx");
    await writeEncoderModel(source, { path: exact, precision: "fp32" });
    const given = await openImages(source.experiment, images);
    const a = await encode(exact, given);
    const b = await encode(small, given);
    const { relative, cosine, neighbours } = difference(a, b);
    const where = images === null ? given.what : `images of ${images}`;
    return (
      `Weights in ${precision}, computed in float32. On ${given.count} ${where}, patch features differ from fp32 by ` +
      `${(100 * relative).toPrecision(2)} % (root mean square), the lowest cosine of pooled features is ` +
      `${cosine.toFixed(6)}, and ${neighbours} of ${given.count} images have the same nearest neighbour.`
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface GivenImages {
  readonly count: number;
  readonly what: string;
  readonly shape: readonly [3, number, number];
  readonly pixels: (from: number, count: number) => Promise<Float32Array>;
}

async function openImages(experiment: Experiment, folder: string | null): Promise<GivenImages> {
  const { height, width } = experiment.image;
  const shape = [3, height, width] as const;
  const root = process.cwd();
  const open = async (of: Experiment, split: "train" | "test", what: string): Promise<GivenImages> => {
    const { count, pixels } = await usableOf(
      await openLabelledImages({ experiment: of, root, split, limit: mostImages }),
    );
    if (count < 2) throw new ExportRefused(folder ?? root, errors.noImagesToMeasure({ why: `${count} images` }));
    return { count, pixels: async (from, images) => normalized(await pixels(from, images), of), what, shape };
  };
  if (folder !== null) {
    return open({ ...experiment, data: imagesOf(folder) }, "train", "images");
  }
  const { data } = experiment;
  if (data.kind !== "shapes" && data.validationPath === null && data.holdOut === 0) {
    const why = "the experiment has no held-out images (data.validation, data.holdOut)";
    throw new ExportRefused(experiment.name, errors.noImagesToMeasure({ why }));
  }
  return open(experiment, "test", "test images of the run");
}

/** Bytes [images, 3, height, width] as the model wants them. */
export function normalized(bytes: Uint8Array, { image }: Pick<Experiment, "image">): Float32Array {
  const plane = image.height * image.width;
  const values = new Float32Array(bytes.length);
  const ofByte = image.mean.map((mean, c) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / (image.std[c] ?? 1)),
  );
  for (let start = 0; start < bytes.length; start += plane) {
    const table = ofByte[(start / plane) % 3] ?? new Float32Array(256);
    for (let i = start; i < start + plane; i++) values[i] = table[bytes[i] ?? 0] ?? 0;
  }
  return values;
}

/** Patch features, one array per batch, and their width. */
interface Encoded {
  readonly patches: readonly Float32Array[];
  /** Mean over patches, one per image. */
  readonly pooled: readonly Float32Array[];
}

async function encode(model: string, { count, shape, pixels }: GivenImages): Promise<Encoded> {
  switchOffTelemetry();
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const session = await InferenceSession.create(model);
  const patches: Float32Array[] = [];
  const pooled: Float32Array[] = [];
  try {
    for (let from = 0; from < count; from += batch) {
      const images = Math.min(batch, count - from);
      const pixelValues = new Tensor("float32", await pixels(from, images), [images, ...shape]);
      const output = (await session.run({ pixel_values: pixelValues }))[OUTPUT];
      const data = output?.data;
      if (!(data instanceof Float32Array)) throw new Error("internal: the exported model gave no features");
      patches.push(data);
      const [, tokens = 1, width = 1] = output?.dims ?? [];
      for (let i = 0; i < images; i++) pooled.push(meanOf(data, i * tokens * width, tokens, width));
    }
  } finally {
    await session.release();
  }
  return { patches, pooled };
}

function meanOf(data: Float32Array, start: number, tokens: number, width: number): Float32Array {
  const mean = new Float32Array(width);
  for (let i = 0; i < tokens * width; i++) {
    mean[i % width] = (mean[i % width] ?? 0) + (data[start + i] ?? 0) / tokens;
  }
  return mean;
}

function difference(a: Encoded, b: Encoded) {
  let square = 0;
  let total = 0;
  for (const [part, values] of a.patches.entries()) {
    for (const [i, value] of values.entries()) {
      square += (value - (b.patches[part]?.[i] ?? 0)) ** 2;
      total += value ** 2;
    }
  }
  const lowest = Math.min(...a.pooled.map((features, i) => cosineOf(features, b.pooled[i] ?? features)));
  const same = a.pooled.filter((_, i) => nearest(a.pooled, i) === nearest(b.pooled, i)).length;
  return { relative: Math.sqrt(square / total), cosine: lowest, neighbours: same };
}

function nearest(all: readonly Float32Array[], of: number): number {
  const own = all[of];
  let best = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (const [i, other] of all.entries()) {
    if (i === of || own === undefined) continue;
    const cosine = cosineOf(own, other);
    if (cosine > highest) [best, highest] = [i, cosine];
  }
  return best;
}

/** 0 where one of them is. */
export function cosineOf(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / (Math.sqrt(aa * bb) || 1);
}
