/** A plan in the numbers that people ask for: what inspect and the report print. */
import type { Plan } from "../plan/plan";
import { type ParameterCounts, type PartCost, parameterCounts, stepCost } from "./cost";
import { type MemoryEstimate, memoryEstimate } from "./memory";
import type { Step } from "./step";

export interface Facts {
  readonly name: string;
  readonly parameters: ParameterCounts;
  /** Devices that share a batch, and images of one run of the step on one of them. */
  readonly devices: number;
  readonly deviceBatch: number;
  readonly tokens: number;
  readonly programs: readonly {
    readonly contextTokens: number;
    readonly targetTokens: number;
    readonly probability: number;
  }[];
  /** Of one device. */
  readonly flopsPerStep: { readonly parts: readonly PartCost[]; readonly total: number };
  /** Of each device. */
  readonly memory: MemoryEstimate;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly images: number;
  /** Of all devices. */
  readonly flopsInAll: number;
}

export function factsOf(step: Step, plan: Plan): Facts {
  const { experiment } = plan;
  const { optimizer, schedule, masks } = experiment;
  const cost = stepCost(step, plan);
  return {
    name: experiment.name,
    parameters: parameterCounts(step),
    devices: experiment.hardware.gpus,
    deviceBatch: optimizer.deviceBatch,
    tokens: plan.model.tokens,
    programs: masks.programs.map(({ contextTokens, targetTokens, probability }) => ({
      contextTokens,
      targetTokens,
      probability,
    })),
    flopsPerStep: { parts: cost.parts, total: cost.flops },
    memory: memoryEstimate(step, plan),
    epochs: optimizer.epochs,
    stepsPerEpoch: optimizer.stepsPerEpoch,
    steps: schedule.steps,
    images: schedule.steps * optimizer.globalBatch,
    flopsInAll: cost.flops * schedule.steps * experiment.hardware.gpus,
  };
}

/** Hours of one device that does `flopsPerSecond`. */
export function deviceHours(facts: Facts, flopsPerSecond: number): number {
  return facts.flopsInAll / flopsPerSecond / 3600;
}

export function bytesText(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  return gibibytes >= 1 ? `${gibibytes.toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** 5486400 → "5,486,400", in every locale. */
export function countText(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
