/** What a spec says about masks, and the sizes of blocks that follow from it: read by the rules and by the plan. */
import type { MaskPlan } from "../../runtime/experiment";
import { enumerateSizes, type Grid, type Range, type WeightedSize } from "../../runtime/masks/blocks";

/** What a spec says about masks, on a grid of patches. */
export interface MaskSettings {
  readonly grid: Grid;
  readonly sampler: MaskPlan["sampler"];
  readonly targets: { readonly count: number; readonly scale: Range; readonly aspect: Range };
  readonly context: {
    readonly count: number;
    readonly scale: Range;
    /** Tokens kept of every context; "auto" = the mean that the reference keeps at this batch size. */
    readonly tokens: "auto" | number;
  };
  readonly minKeep: number;
  readonly allowOverlap: boolean;
  /** Images of one run of the step on one device: the reference cuts masks to the shortest of these. */
  readonly deviceBatch: number;
}

export interface MaskSizes {
  readonly targets: WeightedSize[];
  readonly contexts: WeightedSize[];
}

/** Every target and context size with its probability. The reference draws both sides from one uniform number. */
export function maskSizes({ grid, sampler, targets, context }: Omit<MaskSettings, "deviceBatch">): MaskSizes {
  const shared = sampler === "reference";
  const sizes = (scale: Range, aspect: Range): WeightedSize[] =>
    enumerateSizes({ grid, scale, aspect, maySpan: !shared }, { shared });
  return { targets: sizes(targets.scale, targets.aspect), contexts: sizes(context.scale, [1, 1]) };
}
