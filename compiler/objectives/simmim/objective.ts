/** SimMIM: the pixels of masked patches are predicted by a linear layer behind an encoder that sees mask tokens (Xie et al. 2022). */
import type { Objective } from "../objective";
import { buildModel } from "./chains";
import { defaults, schedule } from "./defaults";
import { planOf } from "./plan";
import { recorded } from "./recorded";
import { simmimRules } from "./rules";
import { headline, programs } from "./text";

export const simmim: Objective<"simmim"> = {
  defaults,
  schedule,
  rules: simmimRules,
  warnings: [],
  plan: planOf,
  model: buildModel,
  decoder: () => ({ why: "SimMIM has no predictor of representations: the layer behind its encoder predicts pixels" }),
  headline,
  tokens: { seen: "visible", predicted: "masked" },
  programs,
  // Every patch is as likely as any other to be seen.
  maskFacts: () => null,
  recorded,
};
