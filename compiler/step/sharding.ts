/** What a device holds where the moments of AdamW are whole on every device, and where each keeps a shard of them. */
import type { TrainedModel } from "../autodiff/trained";
import type { Plan } from "../plan/plan";
import { buildStep } from "./build";
import { type MemoryEstimate, memoryEstimate } from "./memory";

export interface MemoryBySharding {
  readonly whole: MemoryEstimate;
  readonly sharded: MemoryEstimate;
}

/** Null where there is one device. */
export function memoryBySharding(plan: Plan, model: TrainedModel): MemoryBySharding | null {
  const { optimizer, hardware } = plan.experiment;
  const devices = hardware.gpus;
  if (devices === 1) return null;
  const over = (shards: number): MemoryEstimate =>
    memoryEstimate(buildStep(model, { ...optimizer, devices, shards, clipNorm: plan.clipNorm }), plan);
  return { whole: over(1), sharded: over(devices) };
}
