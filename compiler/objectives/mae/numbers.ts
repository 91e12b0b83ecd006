/** The numbers that the chains of a masked autoencoder are built from. */
import type { MaskNumbers } from "../../model/masked";
import type { BaseNumbers, Network } from "../../plan/model-numbers";

export interface MaeNumbers extends BaseNumbers, MaskNumbers {
  readonly objective: "mae";
  readonly decoder: Network;
  /** Whether the pixels of a patch are normalized before they are compared. */
  readonly normalizeTargets: boolean;
}
