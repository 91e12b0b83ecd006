/** A step as a trainer logs it, for tests of loggers. */
import type { StepEvent } from "../../../runtime/report/jsonl";

export const stepEvent = (step: number): StepEvent => ({
  event: "step",
  step,
  epoch: 1,
  loss: 0.5 / step,
  lr: 1e-3,
  weightDecay: 0.04,
  momentum: 0.996,
  contextTokens: 20,
  targetTokens: 12,
  gradientNorm: 2 * step,
  timeMs: 80,
  dataMs: 20,
  imagesPerSecond: 160,
});
