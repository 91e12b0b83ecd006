/** The masks of an experiment, as the compiler plans them: lengths, programs, and what the samplers draw from. */

/** Target blocks of `height`×`width` patches: one outcome of the size draw. */
export interface BlockSize {
  readonly height: number;
  readonly width: number;
  /** Exact share of the batches with this size. */
  readonly probability: number;
}

/** One pair of lengths for which the step runs. */
export interface Program {
  readonly contextTokens: number;
  readonly targetTokens: number;
  readonly probability: number;
}

/** A target block size with what the step keeps when it is drawn. */
export interface TargetSize extends BlockSize {
  readonly contextTokens: number;
  /** Index into `programs`. */
  readonly program: number;
}

/** How context and targets are chosen: what the paper's Table 6 compares. */
export type MaskStrategy = "multiblock" | "block" | "random" | "rasterized";

/** What any masks are: how many patches are seen and predicted, on which grid. */
export interface AnyMaskPlan {
  readonly gridHeight: number;
  readonly gridWidth: number;
  /** Targets of an image: each is a sequence of its own in a predictor. */
  readonly targetCount: number;
  /** Sets of masks of an image in one step (sets.ts), from 2 on; left out where there is one. */
  readonly setCount?: number;
  readonly programs: readonly Program[];
}

/** Patches drawn at random: some are seen, and all others are the one target. */
export interface VisiblePlan extends AnyMaskPlan {
  readonly targetCount: 1;
  /** Side of the squares of patches that are seen or masked as one; 1: each patch is drawn by itself. */
  readonly unit: number;
}

/** The same, drawn as blocks one over another. */
export interface BlockwisePlan extends AnyMaskPlan {
  readonly targetCount: 1;
  readonly blocks: {
    /** Least area of a block, in patches. */
    readonly smallest: number;
    /** Height over width. */
    readonly aspect: readonly [least: number, most: number];
  };
}

/** What every strategy has. */
interface MaskPlanOf<S extends MaskStrategy> extends AnyMaskPlan {
  readonly strategy: S;
  readonly contextCount: number;
}

export interface MultiblockPlan extends MaskPlanOf<"multiblock"> {
  readonly sampler: "reference" | "unbiased";
  readonly minKeep: number;
  readonly allowOverlap: boolean;
  /** Every target block size that can occur, with the context tokens kept for it. */
  readonly sizes: readonly TargetSize[];
  /** Every size of the context block, before target patches are taken out of it. */
  readonly contextSizes: readonly BlockSize[];
}

/** One target block; everything else is context. */
export interface BlockPlan extends MaskPlanOf<"block"> {
  readonly sizes: readonly TargetSize[];
}

/** One target of patches from anywhere; everything else is context. One program. */
export type RandomPlan = MaskPlanOf<"random">;

/** Four quadrants: one is the context, the others are the targets. One program. */
export type RasterizedPlan = MaskPlanOf<"rasterized">;

export interface MaskPlans {
  readonly multiblock: MultiblockPlan;
  readonly block: BlockPlan;
  readonly random: RandomPlan;
  readonly rasterized: RasterizedPlan;
}

export type MaskPlan = MaskPlans[MaskStrategy];

/** Contexts of an image: one, where a plan does not say how many. */
export const contextsOf = (plan: AnyMaskPlan | MaskPlan): number => ("contextCount" in plan ? plan.contextCount : 1);
