/** The numbers that the chains of a masked autoencoder are built from. */
import type { BaseNumbers, Network } from "../../plan/model-numbers";

export interface MaeNumbers extends BaseNumbers {
  readonly objective: "mae";
  readonly decoder: Network;
  /** Patches of an image that are seen, and all others. */
  readonly visible: number;
  readonly masked: number;
  /** Whether the pixels of a patch are normalized before they are compared. */
  readonly normalizeTargets: boolean;
}
