/** What a step is given where patches of an image are masked: which are seen, which are not, and stochastic depth. */
import type { BatchRequest, CommonExperiment, ObjectiveBatch } from "../experiment";
import type { AnyMaskPlan } from "../masks/plan";
import type { PatchDraw, PatchDrawRequest } from "../masks/random";
import { dropPathFactors } from "./drop-path";

/** Leaves `visible`, `masked`, and `dropPath` where its rate is not 0. `draw` decides which patches those are. */
export function visibleBatch<Plan extends AnyMaskPlan>(
  experiment: CommonExperiment & { readonly masks: Plan },
  { step, firstImage }: BatchRequest,
  draw: (plan: Plan, request: PatchDrawRequest) => PatchDraw,
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
  const { lengths, visible, masked } = draw(masks, { seed, step, images, firstImage });
  return { lengths, batch: { visible, masked, ...(dropPath === undefined ? {} : { dropPath }) } };
}
