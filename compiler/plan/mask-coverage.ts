/**
 * How often each patch is context or target under a plan, by sampling: for reports and for comparing samplers. Of several sets
 * of masks the first is counted; the others are drawn as it is.
 */
import type { MaskPlan } from "../../runtime/masks/plan";
import { sampleSet } from "../../runtime/masks/sampler";

export interface PatchCoverage {
  /** Per patch, row-major: the share of images in which a context (any of them) holds it. */
  readonly context: Float64Array;
  /** The same for target blocks. */
  readonly target: Float64Array;
  /** Draws thrown away per image because too few context tokens were left. */
  readonly redrawsPerImage: number;
  /** Share of images of which a context was topped up. */
  readonly toppedUp: number;
}

const IMAGES_PER_STEP = 8;

export function patchCoverage(plan: MaskPlan, { seed = 0, steps = 1024 } = {}): PatchCoverage {
  const patches = plan.gridHeight * plan.gridWidth;
  const images = steps * IMAGES_PER_STEP;
  const context = new Float64Array(patches);
  const target = new Float64Array(patches);
  // The image that touched a patch last: blocks of one image may share patches, which count once.
  const lastContext = new Int32Array(patches).fill(-1);
  const lastTarget = new Int32Array(patches).fill(-1);
  let redraws = 0;
  let toppedUp = 0;
  for (let step = 0; step < steps; step++) {
    const masks = sampleSet(plan, { seed, step, images: IMAGES_PER_STEP, firstImage: 0 });
    const { C, U } = masks.lengths;
    redraws += masks.redraws;
    toppedUp += masks.toppedUp;
    for (let image = 0; image < IMAGES_PER_STEP; image++) {
      const id = step * IMAGES_PER_STEP + image;
      for (let j = 0; j < plan.contextCount; j++) {
        const row = (j * IMAGES_PER_STEP + image) * C;
        countOnce(masks.contextIndex.subarray(row, row + C), context, lastContext, id);
      }
      countOnce(masks.targetIndex.subarray(image * U, (image + 1) * U), target, lastTarget, id);
    }
  }
  return {
    context: context.map((count) => count / images),
    target: target.map((count) => count / images),
    redrawsPerImage: redraws / images,
    toppedUp: toppedUp / images,
  };
}

function countOnce(patches: Int32Array, counts: Float64Array, last: Int32Array, image: number): void {
  for (const patch of patches) {
    if (last[patch] === image) continue;
    last[patch] = image;
    counts[patch] = (counts[patch] ?? 0) + 1;
  }
}
