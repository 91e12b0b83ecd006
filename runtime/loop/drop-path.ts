/** Stochastic depth: which images skip which branch of the context encoder in this step. */
import { randomAt } from "../random/random";

/** Rate of a block: from 0 at the first to `rate` at the last, linear over the depth (reference.md §3). */
export function dropPathRate(rate: number, block: number, depth: number): number {
  return depth === 1 ? 0 : (rate * block) / (depth - 1);
}

/**
 * For every block and branch one factor per row, by path: 0 with the rate of the block, else 1/(1 − rate), so that the mean
 * is 1. Empty where the rate is 0. Rows count through all micro-batches of a step.
 */
export function dropPathFactors(what: {
  readonly seed: number;
  readonly step: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly depth: number;
  readonly rate: number;
}): ReadonlyMap<string, Float32Array> {
  const factors = new Map<string, Float32Array>();
  if (what.rate === 0) return factors;
  for (let block = 0; block < what.depth; block++) {
    factors.set(`batch.dropPath.${block}.attn`, new Float32Array(what.rows));
    factors.set(`batch.dropPath.${block}.mlp`, new Float32Array(what.rows));
  }
  const blocks = [...factors.values()];
  for (let row = 0; row < what.rows; row++) {
    const random = randomAt({ seed: what.seed, purpose: "dropPath", step: what.step, sample: what.firstRow + row });
    for (const [i, values] of blocks.entries()) {
      const rate = dropPathRate(what.rate, Math.floor(i / 2), what.depth);
      values[row] = random.uniform() < rate ? 0 : 1 / (1 - rate);
    }
  }
  return factors;
}
