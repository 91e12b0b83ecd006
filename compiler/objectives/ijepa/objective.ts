/** I-JEPA: target blocks are predicted from a context, in the representations of a target encoder (reference.md §5). */
import { maskFacts } from "../../plan/mask-facts";
import { maskSettings } from "../../spec/mask-settings";
import type { Objective } from "../objective";
import { buildModel } from "./chains";
import { decoderModel } from "./decoder";
import { defaults, schedule } from "./defaults";
import { planOf } from "./plan";
import { recorded } from "./recorded";
import { ijepaRules } from "./rules";
import { headline, programs } from "./text";
import { ijepaWarnings } from "./warnings";

export const ijepa: Objective<"ijepa"> = {
  defaults,
  schedule,
  rules: ijepaRules,
  warnings: ijepaWarnings,
  plan: planOf,
  model: buildModel,
  decoder: decoderModel,
  headline,
  tokens: { seen: "context", predicted: "target" },
  programs,
  maskFacts: (spec) => maskFacts(maskSettings(spec)),
  recorded,
};
