/** I-JEPA as its trainer sees it: masks of context and targets, and a target encoder that is judged. */
import type { IJepaExperiment, RuntimeObjective } from "../../experiment";
import { dropPathFactors } from "../../loop/drop-path";
import { sampleMasks } from "../../masks/sampler";
import { setsOf } from "../../masks/sets";
import { positionsOf } from "../../model/positions";
import { recorded } from "./recorded";

export const objective: RuntimeObjective<IJepaExperiment> = {
  batch: (experiment, { step, firstImage }) => {
    const { seed, masks, optimizer } = experiment;
    const images = optimizer.deviceBatch;
    const { lengths, contextIndex, targetIndex } = sampleMasks(masks, { seed, step, images, firstImage });
    const dropPath = dropPathFactors({
      seed,
      step,
      images,
      contexts: masks.contextCount,
      sets: setsOf(masks),
      firstImage,
      globalBatch: optimizer.globalBatch,
      depth: experiment.encoder.depth,
      rate: experiment.dropPath,
    });
    return { lengths, batch: { contextIndex, targetIndex, ...(dropPath === undefined ? {} : { dropPath }) } };
  },
  constants: (experiment) => ({ predictorPositions: positionsOf(experiment, experiment.predictor.dim) }),
  positions: ({ image, encoder, predictor }) => {
    const patches = image.gridHeight * image.gridWidth;
    return [
      { name: "encoder.pos_embed", shape: [1, patches, encoder.dim], constant: "positions" },
      { name: "predictor.predictor_pos_embed", shape: [1, patches, predictor.dim], constant: "predictorPositions" },
      { name: "target_encoder.pos_embed", shape: [1, patches, encoder.dim], constant: "positions" },
    ];
  },
  networks: ({ encoder, predictor }) =>
    `encoder ${encoder.depth}×${encoder.dim}, predictor ${predictor.depth}×${predictor.dim}`,
  second: ({ predictor }) => predictor,
  masks: {
    seen: { leaf: "contextIndex", name: "context" },
    predicted: { leaf: "targetIndex", name: "targets" },
  },
  judged: { tree: "target", name: "target encoder" },
  handsOn: {
    model: "IJepaModel",
    options: "",
    features: "last_hidden_state.mean(1)",
    formats: "timm, onnx, transformers.js, official and safetensors",
  },
  recorded,
};
