/** The masks and networks of I-JEPA, decided. */
import type { RegularizerPlan } from "../../../runtime/experiment";
import type { MaskPlan } from "../../../runtime/masks/plan";
import { setsOf } from "../../../runtime/masks/sets";
import { buildMaskPlan } from "../../masks/strategies";
import { mostProbable, programsDiffer } from "../../plan/programs";
import { maskSettings } from "../../spec/mask-settings";
import { hiddenWidth } from "../../spec/presets";
import type { IjepaSpec } from "../../spec/spec";
import type { ObjectivePlan } from "../objective";

function masksOf(spec: IjepaSpec): MaskPlan {
  const plan = buildMaskPlan(maskSettings(spec));
  return spec.maskSets === 1 ? plan : { ...plan, setCount: spec.maskSets };
}

const regularizerOf = ({ regularizer }: IjepaSpec): RegularizerPlan | null =>
  regularizer.name === "none" ? null : regularizer;

export function planOf(spec: IjepaSpec, given?: MaskPlan): ObjectivePlan<"ijepa"> {
  const { dim, depth, heads } = spec.predictor;
  const predictor = { dim, depth, heads, hidden: hiddenWidth(spec.predictor) };
  const masks = given ?? masksOf(spec);
  const regularizer = regularizerOf(spec);
  const { contextTokens, targetTokens } = mostProbable(masks);
  const context = programsDiffer(masks, (program) => program.contextTokens);
  const target = programsDiffer(masks, (program) => program.targetTokens);
  return {
    constants: {
      objective: "ijepa",
      predictor,
      masks,
      targetsMaskedAt: spec.targets.maskedAt,
      ...(regularizer && { regularizer }),
    },
    numbers: {
      objective: "ijepa",
      predictor,
      contexts: masks.contextCount,
      targets: masks.targetCount,
      sets: setsOf(masks),
      contextTokens,
      targetTokens,
      // Of two lengths one of which varies; that their sum may be the same for all is no matter.
      varies: { context, target, sequence: context || target },
      targetSpace: spec.targets.space,
      targetsMaskedAt: spec.targets.maskedAt,
      normalizeTargets: spec.targets.normalize,
      loss: spec.loss,
      regularizer,
    },
  };
}
