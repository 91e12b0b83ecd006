/** The experiment of a recorded run of SimMIM (tests/golden/transformers). */
import type { RecordedExperiment } from "../objective";
import { maskedFields, recordedVisible } from "../recorded";

export const recorded: RecordedExperiment<"simmim"> = {
  fields: (trace) => {
    const { encoder, optimization } = maskedFields(trace);
    // Nothing was clipped in them.
    return { encoder, optimization: { ...optimization, clipNorm: null } };
  },
  masks: recordedVisible,
  withSmoothL1: () => null,
  withMse: () => null,
};
