/** What a step is given where patches of an image are masked: which are seen, which are not, and stochastic depth. */
import type { BatchRequest, CommonExperiment, ObjectiveBatch, RuntimeObjective } from "../experiment";
import type { AnyMaskPlan } from "../masks/plan";
import type { PatchDraw, PatchDrawRequest } from "../masks/random";
import { setsInRows, setsOf } from "../masks/sets";
import { lengthsOf } from "../step/lengths";
import { dropPathFactors } from "./drop-path";

export const visibleMasks: RuntimeObjective["masks"] = {
  seen: { leaf: "visible", name: "visible" },
  predicted: { leaf: "masked", name: "masked" },
};

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
    sets: setsOf(masks),
    firstImage,
    globalBatch: optimizer.globalBatch,
    depth: experiment.encoder.depth,
    rate: experiment.dropPath,
  });
  const draws = Array.from({ length: setsOf(masks) }, (_, set) => draw(masks, { seed, step, images, firstImage, set }));
  const [program] = masks.programs;
  if (program === undefined) throw new Error("internal: a mask plan without programs");
  const visible = setsInRows(
    draws.map((one) => one.visible),
    1,
  );
  const masked = setsInRows(
    draws.map((one) => one.masked),
    1,
  );
  return {
    lengths: lengthsOf(program, masks.targetCount),
    batch: { visible, masked, ...(dropPath === undefined ? {} : { dropPath }) },
  };
}
