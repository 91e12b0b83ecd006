/** The experiment of a recorded run of data2vec (tests/golden/transformers). */
import type { RecordedExperiment } from "../objective";
import { maskedFields, recordedSets, recordedVisible } from "../recorded";

export const recorded: RecordedExperiment<"data2vec"> = {
  fields: (trace) => {
    const { targetBlocks, lossBeta, eps } = trace.config;
    const { encoder, optimization } = maskedFields(trace);
    return {
      encoder,
      maskSets: trace.sets,
      ...(targetBlocks !== null && { targets: { blocks: targetBlocks } }),
      ...(lossBeta !== null && { smoothL1Beta: lossBeta }),
      optimization: { clipNorm: null, adamw: { ...optimization.adamw, ...(eps !== null && { eps }) } },
    };
  },
  // They are drawn already, so that nothing is drawn by the blocks.
  masks: (trace) => {
    const { unit: _, ...masks } = recordedVisible(trace);
    return { ...masks, ...recordedSets(trace), blocks: { smallest: 1, aspect: [1, 1] } };
  },
  // Its own loss has a beta of its own.
  withSmoothL1: () => null,
  withMse: () => null,
};
