/** Stochastic depth: which images skip which branch of the context encoder in this step. */
import { randomAt } from "../random/random";

/** Rate of a block: from 0 at the first to `rate` at the last, linear over the depth (reference.md §3). */
export function dropPathRate(rate: number, block: number, depth: number): number {
  return depth === 1 ? 0 : (rate * block) / (depth - 1);
}

/**
 * For every block and branch one factor per row (context, image) of a micro-batch, by path: 0 with the rate of the block,
 * else 1/(1 − rate), so that the mean is 1. Empty where the rate is 0. A factor depends on the place of its image in the
 * whole batch, so that micro-batches of any size draw the same.
 */
export function dropPathFactors(what: {
  readonly seed: number;
  readonly step: number;
  /** Images and contexts of each in the micro-batch; place of its first image in the batch of the step. */
  readonly images: number;
  readonly contexts: number;
  readonly firstImage: number;
  readonly globalBatch: number;
  readonly depth: number;
  readonly rate: number;
}): ReadonlyMap<string, Float32Array> {
  const factors = new Map<string, Float32Array>();
  if (what.rate === 0) return factors;
  const rows = what.contexts * what.images;
  for (let block = 0; block < what.depth; block++) {
    factors.set(`batch.dropPath.${block}.attn`, new Float32Array(rows));
    factors.set(`batch.dropPath.${block}.mlp`, new Float32Array(rows));
  }
  const blocks = [...factors.values()];
  for (let row = 0; row < rows; row++) {
    const context = Math.floor(row / what.images);
    const sample = context * what.globalBatch + what.firstImage + (row % what.images);
    const random = randomAt({ seed: what.seed, purpose: "dropPath", step: what.step, sample });
    for (const [i, values] of blocks.entries()) {
      const rate = dropPathRate(what.rate, Math.floor(i / 2), what.depth);
      values[row] = random.uniform() < rate ? 0 : 1 / (1 - rate);
    }
  }
  return factors;
}
