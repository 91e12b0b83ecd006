/**
 * Block masking (the paper's Table 6): one block is predicted from all patches outside it. The size is that of the step,
 * the place that of the image, every place equally likely.
 */

import { randomAt } from "../../random/random";
import { lengthsOf } from "../../step/lengths";
import type { MaskBatch, SetRequest, StepAt } from "../batch";
import { areaOf, pickSize } from "../blocks";
import type { BlockPlan, TargetSize } from "../plan";
import { purposeOfSet } from "../sets";
import { writeComplement } from "./complement";

/** The size of a step's targets. */
export function blockOfStep({ sizes }: BlockPlan, { seed, step }: StepAt): TargetSize {
  return pickSize(sizes, randomAt({ seed, purpose: "masks.sizes", step }).uniform());
}

export function sampleBlock(plan: BlockPlan, { seed, step, images, firstImage, set = 0 }: SetRequest): MaskBatch {
  const { gridHeight, gridWidth } = plan;
  const target = blockOfStep(plan, { seed, step });
  const { height, width, contextTokens, program } = target;
  const lengths = lengthsOf({ contextTokens, targetTokens: areaOf(target) }, 1);
  const contextIndex = new Int32Array(images * lengths.C);
  const targetIndex = new Int32Array(images * lengths.T);
  for (let image = 0; image < images; image++) {
    const random = randomAt({ seed, purpose: purposeOfSet("masks.positions", set), step, sample: firstImage + image });
    const top = random.integer(gridHeight - height + 1);
    const left = random.integer(gridWidth - width + 1);
    const patches = targetIndex.subarray(image * lengths.T, (image + 1) * lengths.T);
    for (let i = 0; i < patches.length; i++) {
      patches[i] = (top + Math.floor(i / width)) * gridWidth + left + (i % width);
    }
    writeComplement(contextIndex.subarray(image * lengths.C, (image + 1) * lengths.C), patches);
  }
  return { program, lengths, contextIndex, targetIndex, redraws: 0, toppedUp: 0 };
}
