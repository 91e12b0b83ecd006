/** What a recorded run of a masked autoencoder holds (docs/parity.md, tests/golden/transformers). */
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
      tensor: "fwd.latent",
      output: "encoder",
      group: "context",
      shape: ({ images, classTokens, contextTokens, width }) => [images, classTokens + contextTokens, width],
    },
    {
      tensor: "fwd.pred",
      output: "decoder",
      group: "predictions",
      shape: ({ images, targetTokens, values }) => [images, targetTokens, values],
    },
    { tensor: "fwd.loss", output: "loss", group: "losses", shape: () => [] },
  ],
  second: { name: "decoder", hidden: "init.decoder.decoder_blocks.0.mlp.fc1.weight" },
  losses: ["seq.loss"],
};
