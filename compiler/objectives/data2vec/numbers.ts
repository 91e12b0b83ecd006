/** The numbers that the chains of data2vec are built from. */
import type { MaskNumbers } from "../../model/masked";
import type { BaseNumbers } from "../../plan/model-numbers";

export interface Data2VecNumbers extends BaseNumbers, MaskNumbers {
  readonly objective: "data2vec";
  /** Sets of masks of an image in one run of the step: students beside one teacher. */
  readonly sets: number;
  /** Blocks of the target encoder, the last ones, whose mean is predicted. */
  readonly targetBlocks: number;
  /** β of the smooth L1 loss. */
  readonly beta: number;
}
