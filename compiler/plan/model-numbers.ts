/** The numbers that every model is built from; an objective adds its own (compiler/objectives). */
import type { OperandFormat } from "../../runtime/ops/ops";

export interface BaseNumbers {
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly patch: number;
  readonly tokens: number;
  /** What the step is handed of images: bytes, or numbers that are normalized already (recorded runs). */
  readonly pixels: "u8" | "f32";
  /** Images of one run of the step. */
  readonly images: number;
  readonly encoder: Network;
  /** Number format of the operands of products. */
  readonly operands: OperandFormat;
  /** Whether the encoder that is trained has stochastic depth. */
  readonly dropPath: boolean;
  /** Whether a class token, trained as the weights are, goes through the encoder before the patches. */
  readonly classToken: boolean;
}

export interface Network {
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
}
