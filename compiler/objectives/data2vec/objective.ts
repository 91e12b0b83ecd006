/** data2vec: from an image with masks, what a moving average of the encoder makes of the whole image (Baevski et al. 2022). */
import type { Objective } from "../objective";
import { buildModel } from "./chains";
import { defaults, schedule } from "./defaults";
import { planOf } from "./plan";
import { recorded } from "./recorded";
import { data2vecRules } from "./rules";
import { headline, programs } from "./text";

export const data2vec: Objective<"data2vec"> = {
  defaults,
  schedule,
  rules: data2vecRules,
  warnings: [],
  plan: planOf,
  model: buildModel,
  decoder: () => ({
    why: "data2vec predicts a mean of several blocks: a decoder of the encoder's own features would not read it",
  }),
  headline,
  tokens: { seen: "visible", predicted: "masked" },
  programs,
  maskFacts: () => null,
  recorded,
};
