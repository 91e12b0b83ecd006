/** A kernel of attention for every plugin: what a library computes, written out, with queries and keys alone to begin with. */
import type { AttentionInput, AttentionKernel } from "../../../runtime/engines/xla/attention/kernel";
import type { Builder, Value } from "../../../runtime/engines/xla/builder";

const heads = [
  [0, 1],
  [0, 1],
] as const;

function weightsOf(b: Builder, { q, k, scale }: Omit<AttentionInput, "v">): { weights: Value; sums: Value } {
  const scores = b.times(b.dot(q, k, { batch: heads, contract: [[3], [3]] }), scale);
  const raised = b.unary("exponential", b.sub(scores, b.atFirst(b.reduce("maximum", scores, [3]), scores.shape)));
  const sums = b.sumLast(raised);
  return { weights: b.div(raised, b.atFirst(sums, scores.shape)), sums };
}

export const spelledAttention: AttentionKernel<Builder> = {
  name: "attention written out",
  takes: () => true,
  forward: (b, { v, ...input }) => {
    const { weights, sums } = weightsOf(b, input);
    const mixed = b.dot(b.convert(weights, "bf16"), v, { batch: heads, contract: [[3], [2]] });
    return { mixed: b.convert(mixed, "bf16"), statistics: sums };
  },
  backward: (b, { q, k, v, scale, mixed }, gradient) => {
    const { weights } = weightsOf(b, { q, k, scale });
    const product = (left: Value, right: Value, axes: readonly [number, number]): Value =>
      b.dot(left, right, { batch: heads, contract: [[axes[0]], [axes[1]]] });
    const rows = b.sumLast(b.mul(b.convert(gradient, "f32"), b.convert(mixed, "f32")));
    const ofWeights = b.sub(product(gradient, v, [3, 3]), b.atFirst(rows, weights.shape));
    const ofScores = b.convert(b.mul(weights, ofWeights), "bf16");
    return {
      q: b.convert(b.times(product(ofScores, k, [3, 2]), scale), "bf16"),
      k: b.convert(b.times(product(ofScores, q, [2, 2]), scale), "bf16"),
      v: b.convert(product(b.convert(weights, "bf16"), gradient, [2, 2]), "bf16"),
    };
  },
};
