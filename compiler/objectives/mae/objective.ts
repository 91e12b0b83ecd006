/** A masked autoencoder: the pixels of masked patches are predicted from those that are seen (He et al. 2021). */
import type { Objective } from "../objective";
import { buildModel } from "./chains";
import { defaults, schedule } from "./defaults";
import { planOf } from "./plan";
import { recorded } from "./recorded";
import { maeRules } from "./rules";
import { headline, programs } from "./text";

export const mae: Objective<"mae"> = {
  defaults,
  schedule,
  rules: maeRules,
  warnings: [],
  plan: planOf,
  model: buildModel,
  decoder: () => ({ why: "a masked autoencoder has no predictor of representations: its decoder predicts pixels" }),
  headline,
  tokens: { seen: "visible", predicted: "masked" },
  programs,
  // Every patch is as likely as any other to be seen.
  maskFacts: () => null,
  recorded,
};
