/** Rules between the fields of I-JEPA. */
import { headsProblem } from "../../spec/heads";
import { maskRules } from "../../spec/mask-rules";
import type { Rule } from "../../spec/rule";
import type { IjepaSpec } from "../../spec/spec";

export const ijepaRules: readonly Rule<IjepaSpec>[] = [
  {
    name: "heads divide the predictor's width",
    reads: ["encoder.size", "encoder.heads", "predictor.dim", "predictor.heads"],
    check: ({ spec: { predictor }, given }) => {
      if (predictor.dim % predictor.heads === 0) return [];
      const inherited = !given(["predictor", "heads"]);
      const path = inherited ? ["predictor", "dim"] : ["predictor", "heads"];
      return [{ path, problem: headsProblem(predictor, inherited) }];
    },
  },
  ...maskRules,
];
