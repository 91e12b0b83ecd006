/** Rules between the fields of a masked autoencoder. */
import { headsProblem } from "../../spec/heads";
import { gridRule, visibleRule } from "../../spec/mask-rules";
import type { Rule } from "../../spec/rule";
import type { MaeSpec } from "../../spec/spec";
import { maskSettings } from "./masks";

export const maeRules: readonly Rule<MaeSpec>[] = [
  {
    name: "heads divide the decoder's width",
    reads: ["encoder.size", "encoder.dim", "decoder.dim", "decoder.heads"],
    check: ({ spec: { decoder } }) =>
      decoder.dim % decoder.heads === 0 ? [] : [{ path: ["decoder", "heads"], problem: headsProblem(decoder, false) }],
  },
  gridRule,
  visibleRule(maskSettings),
];
