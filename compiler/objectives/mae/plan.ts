/** The masks and networks of a masked autoencoder, decided. */
import type { VisiblePlan } from "../../../runtime/masks/plan";
import { mostProbable } from "../../plan/programs";
import { hiddenWidth } from "../../spec/presets";
import type { MaeSpec } from "../../spec/spec";
import type { ObjectivePlan } from "../objective";

/** How many patches of an image are seen, of all of them; the number is rounded down, as in the paper's code. */
export function visiblePatches({ image, encoder, maskRatio }: Pick<MaeSpec, "image" | "encoder" | "maskRatio">): {
  readonly visible: number;
  readonly patches: number;
} {
  const patches = (image.size / encoder.patch) ** 2;
  // A ratio such as 0.9 is no binary fraction: 100 · (1 − 0.9) should be 10.
  return { visible: Math.floor(Number((patches * (1 - maskRatio)).toFixed(6))), patches };
}

function maskPlan(spec: MaeSpec): VisiblePlan {
  const side = spec.image.size / spec.encoder.patch;
  const { visible, patches } = visiblePatches(spec);
  return {
    gridHeight: side,
    gridWidth: side,
    targetCount: 1,
    programs: [{ contextTokens: visible, targetTokens: patches - visible, probability: 1 }],
  };
}

export function planOf(spec: MaeSpec, given?: VisiblePlan): ObjectivePlan<"mae"> {
  const { dim, depth, heads } = spec.decoder;
  const decoder = { dim, depth, heads, hidden: hiddenWidth(spec.decoder) };
  const masks = given ?? maskPlan(spec);
  const { contextTokens: visible, targetTokens: masked } = mostProbable(masks);
  return {
    constants: { objective: "mae", decoder, classToken: spec.encoder.classToken, masks },
    numbers: { objective: "mae", decoder, visible, masked, normalizeTargets: spec.targets.normalize },
  };
}
