/** I-JEPA: target blocks are predicted from a context, in the representations of a target encoder (reference.md §5). */
import type { Objective } from "../objective";
import { buildModel } from "./chains";
import type { IJepaNumbers } from "./numbers";
import { planOf } from "./plan";
import { ijepaRules } from "./rules";
import { headline, programs } from "./text";

export const ijepa: Objective<IJepaNumbers> = {
  rules: ijepaRules,
  plan: planOf,
  model: buildModel,
  headline,
  programs,
};
