/** data2vec as its trainer sees it: patches masked in blocks, and a target encoder that is judged. */
import type { Data2VecExperiment, RuntimeObjective } from "../../experiment";
import { visibleBatch, visibleMasks } from "../../loop/visible-batch";
import { drawBlocks } from "../../masks/blockwise";
import { classPositionOf } from "../../model/positions";
import { recorded } from "./recorded";

export const objective: RuntimeObjective<Data2VecExperiment> = {
  batch: (experiment, request) => visibleBatch(experiment, request, drawBlocks),
  constants: classPositionOf,
  positions: ({ image, encoder }) => {
    const shape = [1, image.gridHeight * image.gridWidth, encoder.dim] as const;
    return ["encoder", "target_encoder"].map((network) => ({
      name: `${network}.pos_embed`,
      shape,
      constant: "positions",
    }));
  },
  networks: ({ encoder }) => `encoder ${encoder.depth}×${encoder.dim}, a linear head`,
  second: () => null,
  masks: visibleMasks,
  judged: { tree: "target", name: "target encoder" },
  handsOn: {
    model: "Data2VecVisionModel",
    options: "",
    features: "last_hidden_state[:, 1:].mean(1)",
    formats: "onnx and safetensors",
  },
  recorded,
};
