/** The numbers that the chains of I-JEPA are built from. */
import type { RegularizerPlan } from "../../../runtime/experiment";
import type { BaseNumbers, Network } from "../../plan/model-numbers";

export interface IJepaNumbers extends BaseNumbers {
  readonly objective: "ijepa";
  readonly predictor: Network;
  /** Of an image in each of its sets of masks. */
  readonly contexts: number;
  readonly targets: number;
  /** Sets of masks of an image in one run of the step. */
  readonly sets: number;
  /** Tokens of the most probable program. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Whether programs differ in their number of context, target tokens, sum of both. */
  readonly varies: { readonly context: boolean; readonly target: boolean; readonly sequence: boolean };
  readonly targetSpace: "representations" | "pixels";
  /** Whether the target encoder sees all patches, or those of one target alone. */
  readonly targetsMaskedAt: "output" | "input";
  /** Layer norm of the targets. */
  readonly normalizeTargets: boolean;
  readonly loss: "smoothL1" | "mse";
  readonly regularizer: RegularizerPlan | null;
}
