/** The experiment of a recorded run of I-JEPA. Its masks are drawn already, so nothing but their lengths is known. */

import type { RecordedExperiment } from "../objective";
import { ratioOf, recordedPrograms, recordedSets } from "../recorded";

export const recorded: RecordedExperiment<"ijepa"> = {
  fields: ({ config, secondHidden, sets }) => ({
    predictor: {
      dim: config.predictorDim,
      depth: config.predictorDepth,
      heads: config.predictorHeads,
      mlpRatio: ratioOf(secondHidden, config.predictorDim),
    },
    maskSets: sets,
    ...(config.regularizer && { regularizer: { name: "vicreg", ...config.regularizer } }),
  }),
  masks: (trace) => ({
    strategy: "multiblock",
    gridHeight: trace.grid,
    gridWidth: trace.grid,
    sampler: "reference",
    targetCount: trace.targets,
    ...recordedSets(trace),
    contextCount: trace.contexts,
    minKeep: 0,
    allowOverlap: true,
    sizes: [],
    contextSizes: [],
    programs: recordedPrograms(trace),
  }),
  withSmoothL1: (numbers) => (numbers.loss === "smoothL1" ? null : { ...numbers, loss: "smoothL1" }),
  withMse: (numbers) => ({ ...numbers, loss: "mse" }),
};
