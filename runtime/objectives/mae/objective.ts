/** A masked autoencoder as its trainer sees it: patches at random, and the encoder itself, which is judged. */
import type { MaeExperiment, RuntimeObjective } from "../../experiment";
import { dropPathFactors } from "../../loop/drop-path";
import { drawPatches } from "../../masks/random";
import { positionsOf } from "../../model/positions";
import { recorded } from "./recorded";

export const objective: RuntimeObjective<MaeExperiment> = {
  batch: (experiment, { step, firstImage }) => {
    const { seed, masks, optimizer } = experiment;
    const images = optimizer.deviceBatch;
    const dropPath = dropPathFactors({
      seed,
      step,
      images,
      contexts: 1,
      firstImage,
      globalBatch: optimizer.globalBatch,
      depth: experiment.encoder.depth,
      rate: experiment.dropPath,
    });
    const { lengths, visible, masked } = drawPatches(masks, { seed, step, images, firstImage });
    return { lengths, batch: { visible, masked, ...(dropPath === undefined ? {} : { dropPath }) } };
  },
  constants: (experiment) => {
    const { optimizer, encoder, decoder, classToken } = experiment;
    return {
      decoderPositions: positionsOf(experiment, decoder.dim),
      ...(classToken && { classPosition: new Float32Array(optimizer.deviceBatch * encoder.dim) }),
    };
  },
  positions: ({ image, encoder, decoder }) => {
    const patches = image.gridHeight * image.gridWidth;
    return [
      { name: "encoder.pos_embed", shape: [1, patches, encoder.dim], constant: "positions" },
      { name: "decoder.decoder_pos_embed", shape: [1, patches, decoder.dim], constant: "decoderPositions" },
    ];
  },
  networks: ({ encoder, decoder }) =>
    `encoder ${encoder.depth}×${encoder.dim}, decoder ${decoder.depth}×${decoder.dim}`,
  judged: { tree: "weights", name: "encoder" },
  handsOn: {
    model: "ViTMAEModel",
    // It masks patches whenever it is called, unless it is told not to; their order is then a random one.
    options: ", mask_ratio=0.0",
    features: "last_hidden_state[:, 1:].mean(1)",
    formats: "onnx and safetensors",
  },
  recorded,
};
