/** What a sampler of masks is asked for and what it gives, whatever the strategy. */
import type { Lengths } from "../step/lengths";

export interface StepAt {
  readonly seed: number;
  /** Optimizer step, from 0. It decides the sizes of all blocks, for every micro-batch and device. */
  readonly step: number;
}

export interface MaskRequest extends StepAt {
  /** Images to draw for: those of a micro-batch. */
  readonly images: number;
  /** Number of the first of them within the global batch of the step; an image's number decides its positions. */
  readonly firstImage: number;
}

/** One set of masks (sets.ts). */
export interface SetRequest extends MaskRequest {
  /** Which, from 0; an image has other positions in each. Left out: the first. */
  readonly set?: number;
}

export interface MaskBatch {
  /** Index into the plan's programs. */
  readonly program: number;
  readonly lengths: Lengths;
  /** [contexts · sets · images, C]: row (j · sets + s) · images + b is context j of image b in set s, ascending. */
  readonly contextIndex: Int32Array;
  /** [sets · images, targets · T]: the blocks of an image in a set side by side; ascending within a block. */
  readonly targetIndex: Int32Array;
  /** Draws that were thrown away, and images of which a context was topped up, over all sets: for logs and tests. */
  readonly redraws: number;
  readonly toppedUp: number;
}
