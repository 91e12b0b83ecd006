/** The masks and the numbers of data2vec, decided. */
import type { BlockwisePlan } from "../../../runtime/masks/plan";
import { setsOf } from "../../../runtime/masks/sets";
import { visiblePlan } from "../../masks/visible";
import { mostProbable } from "../../plan/programs";
import type { Data2VecSpec } from "../../spec/spec";
import type { ObjectivePlan } from "../objective";
import { maskSettings } from "./masks";

function maskPlan(spec: Data2VecSpec): BlockwisePlan {
  const { unit: _, ...plan } = visiblePlan(maskSettings(spec));
  const { smallest, aspect } = spec.maskBlocks;
  const blocks = { smallest: smallest * plan.gridHeight * plan.gridWidth, aspect };
  return { ...plan, ...(spec.maskSets > 1 && { setCount: spec.maskSets }), blocks };
}

export function planOf(spec: Data2VecSpec, given?: BlockwisePlan): ObjectivePlan<"data2vec"> {
  const masks = given ?? maskPlan(spec);
  const { contextTokens: visible, targetTokens: masked } = mostProbable(masks);
  return {
    constants: { objective: "data2vec", classToken: spec.encoder.classToken, masks },
    numbers: {
      objective: "data2vec",
      sets: setsOf(masks),
      visible,
      masked,
      targetBlocks: spec.targets.blocks,
      beta: spec.smoothL1Beta,
    },
  };
}
