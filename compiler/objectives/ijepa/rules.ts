/** Rules between the fields of I-JEPA. */
import { errors } from "../../diagnostics/catalogue";
import { headsProblem } from "../../spec/heads";
import { maskRules } from "../../spec/mask-rules";
import { deviceBatchOf } from "../../spec/mask-settings";
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
  {
    name: "there is a batch to take statistics of",
    reads: ["regularizer.name", "optimization.globalBatch", "optimization.accumulation", "hardware.gpus"],
    check: ({ spec }) => {
      const images = deviceBatchOf(spec);
      // One that is not whole is an error of its own.
      if (spec.regularizer.name === "none" || images !== 1) return [];
      return [{ path: ["optimization", "globalBatch"], problem: errors.batchWithoutStatistics({ images }) }];
    },
  },
];
