/** The experiment of a recorded run of a masked autoencoder (tests/golden/transformers). */

import type { RecordedExperiment } from "../objective";
import { ratioOf, recordedPrograms } from "../recorded";

export const recorded: RecordedExperiment<"mae"> = {
  fields: ({ config, secondHidden, classToken }) => ({
    encoder: { classToken },
    decoder: {
      dim: config.predictorDim,
      depth: config.predictorDepth,
      heads: config.predictorHeads,
      mlpRatio: ratioOf(secondHidden, config.predictorDim),
    },
    targets: { normalize: config.normalizesPixels },
    optimization: { ...(config.beta2 !== null && { adamw: { beta2: config.beta2 } }) },
  }),
  masks: (trace) => ({
    gridHeight: trace.grid,
    gridWidth: trace.grid,
    targetCount: 1,
    programs: recordedPrograms(trace),
  }),
  withSmoothL1: () => null,
  // Its own loss is that.
  withMse: () => null,
};
