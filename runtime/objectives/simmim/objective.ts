/** SimMIM as its trainer sees it: patches at random, and the encoder itself, which is judged. */
import type { RuntimeObjective, SimmimExperiment } from "../../experiment";
import { visibleBatch, visibleMasks } from "../../loop/visible-batch";
import { drawPatches } from "../../masks/random";
import { classPositionOf } from "../../model/positions";
import { recorded } from "./recorded";

export const objective: RuntimeObjective<SimmimExperiment> = {
  batch: (experiment, request) => visibleBatch(experiment, request, drawPatches),
  constants: classPositionOf,
  positions: ({ image, encoder }) => [
    { name: "encoder.pos_embed", shape: [1, image.gridHeight * image.gridWidth, encoder.dim], constant: "positions" },
  ],
  networks: ({ encoder }) => `encoder ${encoder.depth}×${encoder.dim}, a linear head`,
  second: () => null,
  masks: visibleMasks,
  judged: { tree: "weights", name: "encoder" },
  handsOn: {
    model: "ViTForMaskedImageModeling",
    options: "",
    encoder: ".vit",
    features: "last_hidden_state[:, 1:].mean(1)",
    formats: "onnx and safetensors",
  },
  recorded,
};
