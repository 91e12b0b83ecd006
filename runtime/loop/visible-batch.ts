/** What a step is given where patches are masked at random: which are seen, which are not, and stochastic depth. */
import type { BatchRequest, CommonExperiment, ObjectiveBatch } from "../experiment";
import type { VisiblePlan } from "../masks/plan";
import { drawPatches } from "../masks/random";
import { dropPathFactors } from "./drop-path";

/** Leaves `visible`, `masked`, and `dropPath` where its rate is not 0. */
export function visibleBatch(
  experiment: CommonExperiment & { readonly masks: VisiblePlan },
  { step, firstImage }: BatchRequest,
): ObjectiveBatch {
  const { seed, masks, optimizer } = experiment;
  const images = optimizer.deviceBatch;
  const dropPath = dropPathFactors({
    seed,
    step,
    images,
    contexts: 1,
    firstImage,
    globalBatch: optimizer.globalBatch,
    depth: experiment.encoder.depth,
    rate: experiment.dropPath,
  });
  const { lengths, visible, masked } = drawPatches(masks, { seed, step, images, firstImage });
  return { lengths, batch: { visible, masked, ...(dropPath === undefined ? {} : { dropPath }) } };
}
