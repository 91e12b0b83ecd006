/** What a spec says about masks: read by its rules and by the plan. */
import type { MaskSettings } from "../masks/settings";
import type { Spec } from "./spec";

/** Images of one run of the step on one device. */
export function deviceBatchOf({ optimization, hardware }: Pick<Spec, "optimization" | "hardware">): number {
  return optimization.globalBatch / (hardware.gpus * optimization.accumulation);
}

/** Settings of a spec whose patches tile the image and whose batch divides. */
export function maskSettings(spec: Spec): MaskSettings {
  const { image, encoder, masking } = spec;
  const side = image.size / encoder.patch;
  return {
    grid: { height: side, width: side },
    sampler: masking.sampler,
    targets: masking.targets,
    context: masking.context,
    minKeep: masking.minKeep,
    allowOverlap: masking.allowOverlap,
    deviceBatch: deviceBatchOf(spec),
  };
}
