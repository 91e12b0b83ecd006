/**
 * Rasterized masking (the paper's Table 6): the image is cut into four quadrants; one of them, drawn for every image, is
 * the context, the three others are targets, in the order of reading.
 */

import { randomAt } from "../../random/random";
import { lengthsOf } from "../../step/lengths";
import type { MaskBatch, SetRequest } from "../batch";
import type { RasterizedPlan } from "../plan";
import { purposeOfSet } from "../sets";

const QUADRANTS = 4;

export function sampleRasterized(
  plan: RasterizedPlan,
  { seed, step, images, firstImage, set = 0 }: SetRequest,
): MaskBatch {
  const [program] = plan.programs;
  if (program === undefined) throw new Error("internal: a mask plan without programs");
  const lengths = lengthsOf(program, plan.targetCount);
  const contextIndex = new Int32Array(images * lengths.C);
  const targetIndex = new Int32Array(images * lengths.U);
  for (let image = 0; image < images; image++) {
    const random = randomAt({ seed, purpose: purposeOfSet("masks.positions", set), step, sample: firstImage + image });
    const context = random.integer(QUADRANTS);
    let at = image * lengths.U;
    for (let quadrant = 0; quadrant < QUADRANTS; quadrant++) {
      if (quadrant === context) {
        writeQuadrant(contextIndex.subarray(image * lengths.C, (image + 1) * lengths.C), plan, quadrant);
      } else {
        writeQuadrant(targetIndex.subarray(at, at + lengths.T), plan, quadrant);
        at += lengths.T;
      }
    }
  }
  return { program: 0, lengths, contextIndex, targetIndex, redraws: 0, toppedUp: 0 };
}

/** Fills `out` with the patches of a quadrant, ascending; 0 is at the upper left, 1 at the upper right. */
function writeQuadrant(out: Int32Array, { gridHeight, gridWidth }: RasterizedPlan, quadrant: number): void {
  const width = gridWidth / 2;
  const top = quadrant < 2 ? 0 : gridHeight / 2;
  const left = quadrant % 2 === 0 ? 0 : width;
  for (let i = 0; i < out.length; i++) out[i] = (top + Math.floor(i / width)) * gridWidth + left + (i % width);
}
