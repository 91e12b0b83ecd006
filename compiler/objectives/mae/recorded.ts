/** The experiment of a recorded run of a masked autoencoder (tests/golden/transformers). */

import type { RecordedExperiment } from "../objective";
import { maskedFields, ratioOf, recordedVisible } from "../recorded";

export const recorded: RecordedExperiment<"mae"> = {
  fields: ({ config, secondHidden, ...trace }) => ({
    ...maskedFields({ config, ...trace }),
    decoder: {
      dim: config.predictorDim,
      depth: config.predictorDepth,
      heads: config.predictorHeads,
      mlpRatio: ratioOf(secondHidden, config.predictorDim),
    },
    targets: { normalize: config.normalizesPixels },
  }),
  masks: recordedVisible,
  withSmoothL1: () => null,
  // Its own loss is that.
  withMse: () => null,
};
