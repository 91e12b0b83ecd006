/** The experiment of a recorded run of SimMIM (tests/golden/transformers). */
import type { RecordedExperiment } from "../objective";
import { maskedFields, recordedVisible } from "../recorded";

export const recorded: RecordedExperiment<"simmim"> = {
  fields: maskedFields,
  masks: recordedVisible,
  withSmoothL1: () => null,
  withMse: () => null,
};
