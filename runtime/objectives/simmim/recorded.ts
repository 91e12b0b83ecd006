/** What a recorded run of SimMIM holds (docs/parity.md, tests/golden/transformers). */
import type { RecordedForm } from "../recorded-form";

export const recorded: RecordedForm = {
  severalSets: false,
  forward: [
    {
      tensor: "fwd.target_masked",
      output: "targets",
      group: "targets",
      shape: ({ images, targetTokens, values }) => [images, targetTokens, values],
    },
    {
      tensor: "fwd.pred",
      output: "encoder",
      group: "predictions",
      shape: ({ images, targetTokens, values }) => [images, targetTokens, values],
    },
    { tensor: "fwd.loss", output: "loss", group: "losses", shape: () => [] },
  ],
  second: null,
  losses: ["seq.loss"],
};
