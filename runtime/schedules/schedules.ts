/** Learning rate, weight decay and momentum of every step (reference.md §6), and the scalars that the step is given. */
import type { SchedulePlan } from "../experiment";
import type { ScheduleTree } from "../step/trees";

/** The values in force during one optimizer step. */
export interface StepValues {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Of the target encoder's moving average, where there is one. */
  readonly momentum?: number;
}

/** The scalars of a generated step, taken in float64 as PyTorch does. */
export type StepScalars = ScheduleTree<number>;

export interface Betas {
  readonly beta1: number;
  readonly beta2: number;
}

/** Values and scalars of optimizer step `step` = 0, 1, …; the t of AdamW's bias correction is step + 1. */
export function scheduleAt(plan: SchedulePlan, betas: Betas, step: number): StepValues & StepScalars {
  const values = {
    learningRate: learningRateAt(plan, step),
    weightDecay: weightDecayAt(plan, step),
    ...momentumAt(plan, step),
  };
  return { ...values, ...scalarsOf(values, betas, step) };
}

/** The scalars of optimizer step `step` that follow from its values. */
export function scalarsOf(values: StepValues, { beta1, beta2 }: Betas, step: number): StepScalars {
  const { learningRate, weightDecay, momentum } = values;
  const t = step + 1;
  return {
    stepSize: learningRate / (1 - beta1 ** t),
    secondMoment: 1 / Math.sqrt(1 - beta2 ** t),
    decayFactor: 1 - learningRate * weightDecay,
    ...(momentum !== undefined && { keep: momentum, take: 1 - momentum }),
  };
}

/** The same as the step takes them: rounded to float32 once, here. A function may take a part of them. */
export function scheduleTree(scalars: StepScalars): ScheduleTree<Float32Array> {
  const { stepSize, secondMoment, decayFactor, keep, take } = scalars;
  return {
    stepSize: Float32Array.of(stepSize),
    secondMoment: Float32Array.of(secondMoment),
    decayFactor: Float32Array.of(decayFactor),
    ...(keep !== undefined && { keep: Float32Array.of(keep) }),
    ...(take !== undefined && { take: Float32Array.of(take) }),
  };
}

/** Linear warmup, then half a cosine. The reference counts before it reads, so the first step is already 1. */
export function learningRateAt(plan: SchedulePlan, step: number): number {
  const { warmupSteps, curveSteps, lrStart, lrPeak, lrFinal } = plan;
  const s = step + 1;
  if (s < warmupSteps) return lrStart + (s / Math.max(1, warmupSteps)) * (lrPeak - lrStart);
  const progress = (s - warmupSteps) / Math.max(1, curveSteps - warmupSteps);
  return Math.max(lrFinal, cosine(lrPeak, lrFinal, progress));
}

/** Half a cosine from the first step on, clamped at its final value. */
export function weightDecayAt({ curveSteps, weightDecayStart, weightDecayFinal }: SchedulePlan, step: number): number {
  const value = cosine(weightDecayStart, weightDecayFinal, (step + 1) / curveSteps);
  return weightDecayFinal <= weightDecayStart ? Math.max(weightDecayFinal, value) : Math.min(weightDecayFinal, value);
}

/** Linear; the first update uses the start value itself. Held at the final value beyond the curve. Nothing without one. */
export function momentumAt(
  { momentumStart: start, momentumFinal: final, momentumSteps: steps }: SchedulePlan,
  step: number,
): Pick<StepValues, "momentum"> {
  if (start === undefined || final === undefined || steps === undefined) return {};
  return { momentum: step >= steps ? final : start + (step * (final - start)) / steps };
}

/** From `start` at 0 to `end` at 1. */
function cosine(start: number, end: number, progress: number): number {
  return end + (start - end) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
