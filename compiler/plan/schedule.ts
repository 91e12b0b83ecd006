/** Steps and curves of a training run, with the roundings of reference.md §6. */
import type { SchedulePlan } from "../../runtime/experiment";

export interface ScheduleSettings {
  readonly trainImages: number;
  /** Images of one optimizer step, over all devices and micro-batches. */
  readonly globalBatch: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  /** Stretches all curves beyond the end of training (the reference's ipe_scale); at least 1. */
  readonly stretch: number;
  readonly learningRate: { readonly start: number; readonly peak: number; readonly final: number };
  readonly weightDecay: { readonly start: number; readonly final: number };
  /** Of the target encoder, where there is one. */
  readonly momentum?: { readonly start: number; readonly final: number };
  /** Devices that share the images; 1 unless said otherwise. */
  readonly devices?: number;
}

/** Optimizer steps of an epoch: floor(ceil(images / devices) / batch of a device); the incomplete last batch is left out. */
export function stepsPerEpochOf(settings: Pick<ScheduleSettings, "trainImages" | "globalBatch" | "devices">): number {
  const { trainImages, globalBatch, devices = 1 } = settings;
  return Math.floor(Math.ceil(trainImages / devices) / (globalBatch / devices));
}

export function schedulePlan(settings: ScheduleSettings): SchedulePlan {
  const { epochs, warmupEpochs, stretch, learningRate, weightDecay, momentum } = settings;
  const stepsPerEpoch = stepsPerEpochOf(settings);
  return {
    steps: Math.trunc(epochs * stepsPerEpoch),
    curveSteps: Math.trunc(stretch * epochs * stepsPerEpoch),
    warmupSteps: Math.trunc(warmupEpochs * stepsPerEpoch),
    lrStart: learningRate.start,
    lrPeak: learningRate.peak,
    lrFinal: learningRate.final,
    weightDecayStart: weightDecay.start,
    weightDecayFinal: weightDecay.final,
    ...(momentum !== undefined && {
      momentumStart: momentum.start,
      momentumFinal: momentum.final,
      momentumSteps: stepsPerEpoch * epochs * stretch,
    }),
  };
}

/** What is wrong with these settings; empty where a plan can be made. */
export type ScheduleProblem =
  | { readonly kind: "no full batch"; readonly trainImages: number; readonly globalBatch: number }
  | { readonly kind: "curves end before training"; readonly stretch: number }
  | { readonly kind: "warmup fills the run"; readonly warmupSteps: number; readonly steps: number };

export function scheduleProblems(settings: ScheduleSettings): ScheduleProblem[] {
  const { trainImages, globalBatch, stretch } = settings;
  const problems: ScheduleProblem[] = [];
  if (stepsPerEpochOf(settings) < 1) problems.push({ kind: "no full batch", trainImages, globalBatch });
  // The learning rate would rise again and the reference's momentum would run dry (reference.md §6).
  if (stretch < 1) problems.push({ kind: "curves end before training", stretch });
  const { warmupSteps, steps } = schedulePlan(settings);
  if (steps > 0 && warmupSteps >= steps) problems.push({ kind: "warmup fills the run", warmupSteps, steps });
  return problems;
}
