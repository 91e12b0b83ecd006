/** How near predictions come to their targets, patch by patch: the cosine over held-out images with real masks. */

import type { LabelledImages } from "../../runtime/data/labelled";
import type { IJepaExperiment } from "../../runtime/experiment";
import { programOfStep, sampleSet } from "../../runtime/masks/sampler";
import { cosineOf } from "../export/onnx/measure";
import { predict } from "../export/onnx/predictions";
import type { ExportSource } from "../export/source";

export interface PredictedCosines {
  readonly images: number;
  /** Target blocks of an image. */
  readonly blocks: number;
  /** Patches of a block. */
  readonly tokens: number;
  /** [images, blocks, tokens]: the patch, and the cosine between prediction and target there, from the first context. */
  readonly patches: Int32Array;
  readonly cosines: Float32Array;
  /** Context patches: [images, context]. */
  readonly context: Int32Array;
  readonly contextTokens: number;
}

const images = 4;
const searchedSteps = 512;

/** The first steps that run the most frequent program; fewer where they are not met. */
export function frequentSteps(
  { masks: plan, seed }: Pick<IJepaExperiment, "masks" | "seed">,
  count: number,
): readonly number[] {
  const most = plan.programs.reduce(
    (best, { probability }, i) => (probability > (plan.programs[best]?.probability ?? 0) ? i : best),
    0,
  );
  const isOfIt = (step: number): boolean => programOfStep(plan, { seed, step }) === most;
  return Array.from({ length: searchedSteps }, (_, step) => step)
    .filter(isOfIt)
    .slice(0, count);
}

/** Of the most frequent program. A sentence where it cannot be done. */
export async function predictedCosines(source: ExportSource, of: LabelledImages): Promise<PredictedCosines | string> {
  const { experiment } = source;
  if (!("predictor" in experiment)) return "the experiment predicts pixels";
  const { masks: plan, seed } = experiment;
  const count = Math.min(images, of.count);
  const [step] = frequentSteps(experiment, 1);
  if (step === undefined) return "no step of the most frequent program was found";
  const batch = sampleSet(plan, { seed, step, images: count, firstImage: 0 });
  const found = await predict({ ...source, experiment }, await of.pixels(0, count), batch, count);
  if (!found.ok) return found.why;
  const { predictions, targets, width } = found.predicted;
  const { C, T } = batch.lengths;
  const blocks = plan.targetCount;
  const cosines = new Float32Array(count * blocks * T);
  for (let image = 0; image < count; image++) {
    for (let block = 0; block < blocks; block++) {
      // Rows are (block, context, image), and the first context is shown.
      const row = block * plan.contextCount * count + image;
      for (let token = 0; token < T; token++) {
        const at = (row * T + token) * width;
        cosines[(image * blocks + block) * T + token] = cosineOf(
          predictions.subarray(at, at + width),
          targets.subarray(at, at + width),
        );
      }
    }
  }
  return {
    images: count,
    blocks,
    tokens: T,
    patches: batch.targetIndex,
    cosines,
    context: batch.contextIndex.slice(0, count * C),
    contextTokens: C,
  };
}
