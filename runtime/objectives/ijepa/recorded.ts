/** What the official code was made to record of a run (docs/parity.md). */
import type { RecordedForm } from "../recorded-form";

export const recorded: RecordedForm = {
  severalSets: true,
  forward: [
    {
      tensor: "fwd.target_ln",
      output: "allTargets",
      group: "targets",
      shape: ({ images, patches, width }) => [images, patches, width],
    },
    {
      tensor: "fwd.target_masked",
      output: "targets",
      group: "targets",
      shape: ({ masked, contexts, targets, targetTokens, width }) => [masked * contexts * targets, targetTokens, width],
    },
    {
      tensor: "fwd.context",
      output: "context",
      group: "context",
      shape: ({ masked, contexts, contextTokens, width }) => [masked * contexts, contextTokens, width],
    },
    {
      tensor: "fwd.pred",
      output: "predictor",
      group: "predictions",
      shape: ({ masked, contexts, targets, targetTokens, width }) => [masked * contexts * targets, targetTokens, width],
    },
    { tensor: "fwd.loss_smooth_l1", output: "loss", group: "losses", shape: () => [] },
  ],
  also: [{ tensor: "fwd.regularizer", output: "regularizer", group: "losses" }],
  second: { name: "predictor", hidden: "init.predictor.predictor_blocks.0.mlp.fc1.weight" },
  losses: ["seq.loss_smooth_l1"],
};
