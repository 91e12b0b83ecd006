/** The masks and networks of a masked autoencoder, decided. */
import type { VisiblePlan } from "../../../runtime/masks/plan";
import { visiblePlan } from "../../masks/visible";
import { mostProbable } from "../../plan/programs";
import { hiddenWidth } from "../../spec/presets";
import type { MaeSpec } from "../../spec/spec";
import type { ObjectivePlan } from "../objective";
import { maskSettings } from "./masks";

export function planOf(spec: MaeSpec, given?: VisiblePlan): ObjectivePlan<"mae"> {
  const { dim, depth, heads } = spec.decoder;
  const decoder = { dim, depth, heads, hidden: hiddenWidth(spec.decoder) };
  const masks = given ?? visiblePlan(maskSettings(spec));
  const { contextTokens: visible, targetTokens: masked } = mostProbable(masks);
  return {
    constants: { objective: "mae", decoder, classToken: spec.encoder.classToken, masks },
    numbers: { objective: "mae", decoder, visible, masked, normalizeTargets: spec.targets.normalize },
  };
}
