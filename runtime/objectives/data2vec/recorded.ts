/** What a recorded run of data2vec holds (docs/parity.md, tests/golden/transformers). */
import type { RecordedForm } from "../recorded-form";

export const recorded: RecordedForm = {
  severalSets: true,
  forward: [
    {
      tensor: "fwd.target_masked",
      output: "targets",
      group: "targets",
      shape: ({ masked, targetTokens, width }) => [masked, targetTokens, width],
    },
    {
      tensor: "fwd.latent_masked",
      output: "student",
      group: "context",
      shape: ({ masked, targetTokens, width }) => [masked, targetTokens, width],
    },
    {
      tensor: "fwd.pred",
      output: "head",
      group: "predictions",
      shape: ({ masked, targetTokens, width }) => [masked, targetTokens, width],
    },
    { tensor: "fwd.loss", output: "loss", group: "losses", shape: () => [] },
  ],
  second: null,
  losses: ["seq.loss"],
};
