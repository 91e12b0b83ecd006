/** The numbers that the chains of SimMIM are built from. */
import type { MaskNumbers } from "../../model/masked";
import type { BaseNumbers } from "../../plan/model-numbers";

export interface SimmimNumbers extends BaseNumbers, MaskNumbers {
  readonly objective: "simmim";
}
