/** What a spec says about masks: read by its rules and by the plan. */
import type { MaskSettings } from "../masks/settings";
import type { Spec } from "./spec";

/** Images of one run of the step on one device. */
export function deviceBatchOf({ optimization, hardware }: Pick<Spec, "optimization" | "hardware">): number {
  return optimization.globalBatch / (hardware.gpus * optimization.accumulation);
}

/** More patches than this can not be enumerated in a moment, and nothing could train on them. */
export const mostPatches = 4096;

type BlockFields = Pick<Spec, "image"> & {
  readonly encoder: Pick<Spec["encoder"], "patch">;
  readonly masking: Pick<Spec["masking"], "targets" | "context">;
};

/** Whether there are blocks to speak of; where not, a rule says why. */
export function isDrawable({ image, encoder, masking: { targets, context } }: BlockFields): boolean {
  const side = image.size / encoder.patch;
  const rises = [targets.scale, targets.aspect, context.scale].every(([low, high]) => low <= high);
  return Number.isInteger(side) && side >= 2 && side ** 2 <= mostPatches && rises;
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
