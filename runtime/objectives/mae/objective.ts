/** A masked autoencoder as its trainer sees it: patches at random, and the encoder itself, which is judged. */
import type { MaeExperiment, RuntimeObjective } from "../../experiment";
import { visibleBatch, visibleMasks } from "../../loop/visible-batch";
import { drawPatches } from "../../masks/random";
import { classPositionOf, positionsOf } from "../../model/positions";
import { recorded } from "./recorded";

export const objective: RuntimeObjective<MaeExperiment> = {
  batch: (experiment, request) => visibleBatch(experiment, request, drawPatches),
  constants: (experiment) => ({
    decoderPositions: positionsOf(experiment, experiment.decoder.dim),
    ...classPositionOf(experiment),
  }),
  positions: ({ image, encoder, decoder }) => {
    const patches = image.gridHeight * image.gridWidth;
    return [
      { name: "encoder.pos_embed", shape: [1, patches, encoder.dim], constant: "positions" },
      { name: "decoder.decoder_pos_embed", shape: [1, patches, decoder.dim], constant: "decoderPositions" },
    ];
  },
  networks: ({ encoder, decoder }) =>
    `encoder ${encoder.depth}×${encoder.dim}, decoder ${decoder.depth}×${decoder.dim}`,
  second: ({ decoder }) => decoder,
  masks: visibleMasks,
  judged: { tree: "weights", name: "encoder" },
  handsOn: {
    model: "ViTMAEForPreTraining",
    encoder: ".vit",
    // It masks patches whenever it is called, unless it is told not to; their order is then a random one.
    options: ", mask_ratio=0.0",
    features: "last_hidden_state[:, 1:].mean(1)",
    formats: "onnx and safetensors",
  },
  recorded,
};
