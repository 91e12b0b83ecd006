/** A library's kernel of attention, in the place of the products and the softmax that generated code writes out. */
import type { Value } from "../value";

/** softmax(scale · q kᵀ) v. q [B, H, T, E], k and v [B, H, S, E], all of bfloat16. */
export interface AttentionInput {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly scale: number;
}

export interface AttentionOutput {
  /** [B, H, T, E] of bfloat16. */
  readonly mixed: Value;
  /** What the kernel wants to see again in the backward pass, of each row of the softmax. [B, H, T] */
  readonly statistics: Value;
}

export interface AttentionGradients {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

/** `B` writes the program. */
export interface AttentionKernel<B> {
  /** As messages call it. */
  readonly name: string;
  /** E of its heads. */
  readonly takes: (headWidth: number) => boolean;
  readonly forward: (b: B, input: AttentionInput) => AttentionOutput;
  /** Given the gradient of `mixed`, of bfloat16; gradients are of bfloat16. */
  readonly backward: (b: B, input: AttentionInput & AttentionOutput, gradient: Value) => AttentionGradients;
}
