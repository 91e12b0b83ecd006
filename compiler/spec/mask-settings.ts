/** What a spec says about masks: read by its rules and by the plan. */
import type { MaskSettings } from "../masks/settings";
import type { IjepaSpec, MultiblockMaskingSpec, Spec } from "./spec";

/** Images of one run of the step on one device. */
export function deviceBatchOf({ optimization, hardware }: Pick<Spec, "optimization" | "hardware">): number {
  return optimization.globalBatch / (hardware.gpus * optimization.accumulation);
}

/** More patches than this can not be enumerated in a moment, and nothing could train on them. */
export const mostPatches = 4096;

type Masking = IjepaSpec["masking"];

/** A field of a masking by its path, where it is a pair that is to rise; undefined where the strategy has none. */
export const maskingPairs: {
  readonly [field: string]: (masking: MaskingBlocks) => readonly [low: number, high: number] | undefined;
} = {
  "masking.targets.scale": (masking) => (hasBlocks(masking) ? masking.targets.scale : undefined),
  "masking.targets.aspect": (masking) => (hasBlocks(masking) ? masking.targets.aspect : undefined),
  "masking.context.scale": (masking) => (masking.strategy === "multiblock" ? masking.context.scale : undefined),
};

/** What of a masking says how large blocks are; `minKeep` may not be decided yet. */
export type MaskingBlocks = Exclude<Masking, MultiblockMaskingSpec> | Omit<MultiblockMaskingSpec, "minKeep">;

const hasBlocks = (masking: MaskingBlocks): masking is Extract<MaskingBlocks, { strategy: "multiblock" | "block" }> =>
  masking.strategy === "multiblock" || masking.strategy === "block";

type BlockFields = Pick<Spec, "image"> & {
  readonly encoder: Pick<Spec["encoder"], "patch">;
  readonly masking: MaskingBlocks;
};

/** Whether there are blocks to speak of; where not, a rule says why. */
export function isDrawable({ image, encoder, masking }: BlockFields): boolean {
  const side = image.size / encoder.patch;
  const rises = Object.values(maskingPairs).every((pair) => {
    const [low, high] = pair(masking) ?? [0, 0];
    return low <= high;
  });
  return Number.isInteger(side) && side >= 2 && side ** 2 <= mostPatches && rises;
}

/** Settings of a spec whose patches tile the image and whose batch divides. */
export function maskSettings(spec: IjepaSpec): MaskSettings {
  const { image, encoder, masking } = spec;
  const side = image.size / encoder.patch;
  const grid = { height: side, width: side };
  // The batch decides how many tokens of a context the released code keeps, and nothing else of masks.
  return masking.strategy === "multiblock"
    ? { ...masking, grid, drawnTogether: spec.maskSets * deviceBatchOf(spec) }
    : { ...masking, grid };
}
