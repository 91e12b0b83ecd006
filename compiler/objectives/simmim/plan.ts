/** The masks of SimMIM, decided. */
import type { VisiblePlan } from "../../../runtime/masks/plan";
import { visiblePlan } from "../../masks/visible";
import { mostProbable } from "../../plan/programs";
import type { SimmimSpec } from "../../spec/spec";
import type { ObjectivePlan } from "../objective";
import { maskSettings } from "./masks";

export function planOf(spec: SimmimSpec, given?: VisiblePlan): ObjectivePlan<"simmim"> {
  const masks = given ?? visiblePlan(maskSettings(spec));
  const { contextTokens: visible, targetTokens: masked } = mostProbable(masks);
  return {
    constants: { objective: "simmim", classToken: spec.encoder.classToken, masks },
    numbers: { objective: "simmim", visible, masked },
  };
}
