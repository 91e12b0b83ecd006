/** Of the fields that data2vec alone has. */
import type { FieldEffects } from "./field-effects";

export const data2vecFieldEffects: FieldEffects = {
  "maskBlocks.smallest": [
    0.25,
    {
      experiment: "masks.blocks.smallest 5.12 → 16",
    },
  ],
  "maskBlocks.aspect": [
    [0.5, 2],
    {
      experiment: "masks.blocks.aspect [0.3,3.3333333333333335] → [0.5,2]",
    },
  ],
  smoothL1Beta: [
    1.5,
    {
      step: "lossOf (2 → 1.5), lossOfBackward (2 → 1.5)",
      texts: "graph",
    },
  ],
  "targets.blocks": [
    2,
    {
      step: "(comments), firstTargets added, targetLastBlock, step (→ let sum firstTargets)",
      report: "Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
};
