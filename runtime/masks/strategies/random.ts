/**
 * Random masking (the paper's Table 6): a fixed number of patches from anywhere is predicted from all others, every such
 * set equally likely. The collator of that name in the released code draws the number anew for every batch (reference.md
 * §2); here it is one, so that there is one program.
 */

import { randomAt } from "../../random/random";
import { lengthsOf } from "../../step/lengths";
import type { MaskBatch, SetRequest } from "../batch";
import { choose } from "../choose";
import type { RandomPlan } from "../plan";
import { purposeOfSet } from "../sets";
import { writeComplement } from "./complement";

export function sampleRandom(plan: RandomPlan, { seed, step, images, firstImage, set = 0 }: SetRequest): MaskBatch {
  const [program] = plan.programs;
  if (program === undefined) throw new Error("internal: a mask plan without programs");
  const lengths = lengthsOf(program, 1);
  const contextIndex = new Int32Array(images * lengths.C);
  const targetIndex = new Int32Array(images * lengths.T);
  const all = Array.from({ length: lengths.C + lengths.T }, (_, patch) => patch);
  for (let image = 0; image < images; image++) {
    const random = randomAt({ seed, purpose: purposeOfSet("masks.positions", set), step, sample: firstImage + image });
    const patches = targetIndex.subarray(image * lengths.T, (image + 1) * lengths.T);
    choose(patches, 0, all, lengths.T, random);
    writeComplement(contextIndex.subarray(image * lengths.C, (image + 1) * lengths.C), patches);
  }
  return { program: 0, lengths, contextIndex, targetIndex, redraws: 0, toppedUp: 0 };
}
