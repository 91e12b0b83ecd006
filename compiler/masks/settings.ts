/** What a spec says about masks, on a grid of patches: read by the rules and by the plan. */

import { enumerateSizes, type Grid, type Range, type WeightedSize } from "../../runtime/masks/blocks";
import type { MaskStrategy, MultiblockPlan } from "../../runtime/masks/plan";

interface SettingsOf<S extends MaskStrategy> {
  readonly strategy: S;
  readonly grid: Grid;
}

export interface MultiblockSettings extends SettingsOf<"multiblock"> {
  readonly sampler: MultiblockPlan["sampler"];
  readonly targets: { readonly count: number; readonly scale: Range; readonly aspect: Range };
  readonly context: {
    readonly count: number;
    readonly scale: Range;
    /** Tokens kept of every context; "auto" = the mean that the reference keeps at this batch size. */
    readonly tokens: "auto" | number;
  };
  readonly minKeep: number;
  readonly allowOverlap: boolean;
  /** Images of one run of the step on one device, times sets of masks: the reference cuts masks to the shortest of these. */
  readonly drawnTogether: number;
}

export interface BlockSettings extends SettingsOf<"block"> {
  readonly targets: { readonly scale: Range; readonly aspect: Range };
}

export interface RandomSettings extends SettingsOf<"random"> {
  /** Share of the patches that is predicted. */
  readonly targets: { readonly share: number };
}

export type RasterizedSettings = SettingsOf<"rasterized">;

export interface MaskSettingsByStrategy {
  readonly multiblock: MultiblockSettings;
  readonly block: BlockSettings;
  readonly random: RandomSettings;
  readonly rasterized: RasterizedSettings;
}

export type MaskSettings = MaskSettingsByStrategy[MaskStrategy];

export interface MaskSizes {
  readonly targets: WeightedSize[];
  readonly contexts: WeightedSize[];
}

/** What decides the sizes of blocks. */
export type SizeSettings = Pick<MultiblockSettings, "grid" | "sampler" | "targets" | "context">;

/** Every target and context size with its probability. The reference draws both sides from one uniform number. */
export function maskSizes({ grid, sampler, targets, context }: SizeSettings): MaskSizes {
  const shared = sampler === "reference";
  const sizes = (scale: Range, aspect: Range): WeightedSize[] =>
    enumerateSizes({ grid, scale, aspect, maySpan: !shared }, { shared });
  return { targets: sizes(targets.scale, targets.aspect), contexts: sizes(context.scale, [1, 1]) };
}
