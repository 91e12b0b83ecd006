/**
 * Finds attention among the ops of generated code: softmax(q kᵀ) v with the weights rounded to bfloat16 on their way, and its
 * gradients. A kernel computes them where the results of the products are asked for; what only it replaces is then read by
 * nobody, and XLA drops it. An op that is not exactly that stays what it is.
 */
import type { Value } from "../value";
import type { AttentionGradients, AttentionInput, AttentionKernel, AttentionOutput } from "./kernel";

/** What it asks of whoever writes the program. */
interface Casts {
  convert(x: Value, type: "f32"): Value;
  convertedFrom(cast: Value): Value | undefined;
}

type Scores = Omit<AttentionInput, "v">;

interface Attention extends AttentionInput, AttentionOutput {
  /** Once the gradient of `mixed` is known: that gradient, and what it gives. */
  backward?: { readonly of: Value; readonly gradients: AttentionGradients };
}

export class RecognizedAttention<B extends Casts> {
  /** By what products, softmax and its gradient gave. */
  readonly #scores = new Map<Value, Scores>();
  readonly #softmax = new Map<Value, Scores>();
  readonly #softmaxGradients = new Map<Value, Attention>();
  /** By the rounded weights. */
  readonly #known = new Map<Value, Attention>();

  constructor(
    private readonly b: B,
    private readonly kernel: AttentionKernel<B>,
  ) {}

  /** scores = scale · q kᵀ */
  scores(scores: Value, q: Value, k: Value, scale: number): void {
    const isTaken = q.type === "bf16" && k.type === "bf16" && q.shape.length === 4;
    if (isTaken && this.kernel.takes(q.shape[3] ?? 0)) this.#scores.set(scores, { q, k, scale });
  }

  softmax(weights: Value, scores: Value): void {
    const from = this.#scores.get(scores);
    if (from !== undefined) this.#softmax.set(weights, from);
  }

  softmaxGrad(gradientOfScores: Value, gradient: Value, weights: Value): void {
    const attention = this.#attentionOf(this.b.convertedFrom(weights));
    // The gradient has to be that of `mixed` by v, and not of anything else that reads the weights.
    const from = this.#scores.get(gradient);
    const isOfMixed =
      from !== undefined && attention?.backward?.of === from.q && attention.v === from.k && from.scale === 1;
    if (attention !== undefined && isOfMixed) this.#softmaxGradients.set(gradientOfScores, attention);
  }

  /** left · right, where that is attention or the gradient of its queries; else undefined. */
  product(left: Value, right: Value, scale: number): Value | undefined {
    const from = this.b.convertedFrom(left);
    if (from === undefined) return undefined;
    const scores = this.#softmax.get(from);
    if (scores !== undefined && scale === 1 && right.type === "bf16") {
      const input: AttentionInput = { ...scores, v: right };
      const known = this.#known.get(left);
      if (known !== undefined && known.v !== right) return undefined;
      const attention = known ?? { ...input, ...this.kernel.forward(this.b, input) };
      this.#known.set(left, attention);
      return this.b.convert(attention.mixed, "f32");
    }
    const attention = this.#softmaxGradients.get(from);
    if (attention?.backward === undefined || attention.k !== right || attention.scale !== scale) return undefined;
    return this.b.convert(attention.backward.gradients.q, "f32");
  }

  /** leftᵀ · right, where that is the gradient of values or keys; else undefined. */
  transposedProduct(left: Value, right: Value, scale: number): Value | undefined {
    const known = this.#attentionOf(left);
    if (known !== undefined && scale === 1 && right.type === "bf16") {
      if (known.backward === undefined) {
        known.backward = { of: right, gradients: this.kernel.backward(this.b, known, right) };
      }
      return known.backward.of === right ? this.b.convert(known.backward.gradients.v, "f32") : undefined;
    }
    const from = this.b.convertedFrom(left);
    const attention = from === undefined ? undefined : this.#softmaxGradients.get(from);
    if (attention?.backward === undefined || attention.q !== right || attention.scale !== scale) return undefined;
    return this.b.convert(attention.backward.gradients.k, "f32");
  }

  #attentionOf(weights: Value | undefined): Attention | undefined {
    return weights === undefined ? undefined : this.#known.get(weights);
  }
}
