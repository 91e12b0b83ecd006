/** The numbers that the model is built from. */
import type { OperandFormat } from "../../runtime/ops/ops";

export interface ModelNumbers {
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly patch: number;
  readonly tokens: number;
  /** What the step is handed of images: bytes, or numbers that are normalized already (recorded runs). */
  readonly pixels: "u8" | "f32";
  /** Images of one run of the step. */
  readonly images: number;
  readonly encoder: Network;
  readonly predictor: Network;
  readonly contexts: number;
  readonly targets: number;
  /** Tokens of the most probable program. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Whether programs differ in their number of context, target tokens, sum of both. */
  readonly varies: { readonly context: boolean; readonly target: boolean; readonly sequence: boolean };
  readonly targetSpace: "representations" | "pixels";
  /** Layer norm of the targets. */
  readonly normalizeTargets: boolean;
  readonly loss: "smoothL1" | "mse";
  /** Number format of the operands of products. */
  readonly operands: OperandFormat;
  /** Whether the context encoder has stochastic depth. */
  readonly dropPath: boolean;
}

export interface Network {
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
}
