/** What the target encoder of a run makes of held-out images: the features that the pictures of a report are drawn from. */
import { type LabelledImages, openLabelledImages, usableOf } from "../../runtime/data/labelled";
import type { Experiment } from "../../runtime/experiment";
import { openEncoder } from "../export/onnx/session";
import { whyLeftOut } from "../export/refused";
import { openSource } from "../export/source";
import { type PredictedCosines, predictedCosines } from "./predictions";

const batch = 16;

export interface HeldOutFeatures {
  readonly experiment: Experiment;
  readonly images: LabelledImages;
  readonly step: number;
  readonly count: number;
  readonly patches: number;
  readonly width: number;
  /** [count, patches, width] of the first images; more would be too much to keep. */
  readonly byPatch: Float32Array;
  /** How many images `byPatch` has. */
  readonly patchImages: number;
  /** Mean over patches: [count, width]. */
  readonly pooled: Float32Array;
  /** Or why there are none. */
  readonly predicted: PredictedCosines | string;
}

export interface HeldOutOptions {
  readonly folder: string;
  readonly root: string;
  /** Most images, and most of which patches are kept. */
  readonly limit: number;
  readonly patchImages: number;
}

/** Why there are none, as a sentence, where the run has no whole checkpoint or no held-out images. */
export async function heldOutFeatures(options: HeldOutOptions): Promise<HeldOutFeatures | string> {
  try {
    const opened = await openSource(options.folder, "target");
    if (!opened.ok) return opened.problem.what;
    const { source } = opened;
    try {
      const { experiment, metadata } = source;
      const { limit, root } = options;
      const images = await usableOf(await openLabelledImages({ experiment, root, split: "test", limit }));
      if (images.count < 2) return `${images.count} held-out images`;
      const encoder = await openEncoder(source);
      try {
        const features = await encode(encoder.patches, images, experiment, options.patchImages);
        if (!features.pooled.every(Number.isFinite)) return "the encoder of the run gives NaN or infinity";
        const predicted = await predictedCosines(source, images);
        return { experiment, images, step: metadata.progress.step, ...features, predicted };
      } finally {
        await encoder.close();
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    return whyLeftOut(error);
  }
}

async function encode(
  patchesOf: (images: Uint8Array, count: number) => Promise<Float32Array>,
  { count, pixels }: LabelledImages,
  { image, encoder: { dim: width } }: Experiment,
  most: number,
): Promise<Omit<HeldOutFeatures, "experiment" | "images" | "step" | "predicted">> {
  const patches = image.gridHeight * image.gridWidth;
  const patchImages = Math.min(most, count);
  const byPatch = new Float32Array(patchImages * patches * width);
  const pooled = new Float32Array(count * width);
  for (let from = 0; from < count; from += batch) {
    const taken = Math.min(batch, count - from);
    const found = await patchesOf(await pixels(from, taken), taken);
    for (let i = 0; i < taken; i++) {
      const one = found.subarray(i * patches * width, (i + 1) * patches * width);
      if (from + i < patchImages) byPatch.set(one, (from + i) * patches * width);
      const mean = pooled.subarray((from + i) * width, (from + i + 1) * width);
      for (const [at, value] of one.entries()) mean[at % width] = (mean[at % width] ?? 0) + value / patches;
    }
  }
  return { count, patches, width, byPatch, patchImages, pooled };
}
