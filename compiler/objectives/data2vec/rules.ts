/** Rules between the fields of data2vec. */
import { errors } from "../../diagnostics/catalogue";
import { gridRule, visibleRule } from "../../spec/mask-rules";
import { rises } from "../../spec/rises";
import type { Rule } from "../../spec/rule";
import type { Data2VecSpec } from "../../spec/spec";
import { maskSettings } from "./masks";

export const data2vecRules: readonly Rule<Data2VecSpec>[] = [
  gridRule,
  visibleRule(maskSettings),
  rises<Data2VecSpec>("maskBlocks.aspect", ({ maskBlocks }) => maskBlocks.aspect),
  {
    name: "the encoder has the blocks whose mean is predicted",
    reads: ["encoder.size", "encoder.depth", "targets.blocks"],
    check: ({ spec: { encoder, targets } }) =>
      targets.blocks <= encoder.depth
        ? []
        : [
            {
              path: ["targets", "blocks"],
              problem: errors.moreTargetBlocks({ blocks: targets.blocks, depth: encoder.depth }),
            },
          ],
  },
];
