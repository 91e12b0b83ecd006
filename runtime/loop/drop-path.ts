/** Stochastic depth: which images skip which branch of the context encoder in this step. */
import { randomAt } from "../random/random";
import type { BatchTree } from "../step/trees";

/** Rate of a block: from 0 at the first to `rate` at the last, linear over the depth (reference.md §3). */
export function dropPathRate(rate: number, block: number, depth: number): number {
  return depth === 1 ? 0 : (rate * block) / (depth - 1);
}

/**
 * For every block and branch one factor per row (context, set of masks, image) of a micro-batch: 0 with the rate of the block, else
 * 1/(1 − rate), so that the mean is 1. Undefined where the rate is 0. A factor depends on the place of its image in the
 * whole batch, so that micro-batches of any size draw the same.
 */
export function dropPathFactors(what: {
  readonly seed: number;
  readonly step: number;
  /** Images of the micro-batch, contexts of each, sets of those (1 unless said); place of its first image in the batch of the step. */
  readonly images: number;
  readonly contexts: number;
  readonly sets?: number;
  readonly firstImage: number;
  readonly globalBatch: number;
  readonly depth: number;
  readonly rate: number;
}): BatchTree<Float32Array>["dropPath"] {
  if (what.rate === 0) return undefined;
  const { sets = 1 } = what;
  const rows = what.contexts * sets * what.images;
  const factors = Array.from({ length: what.depth }, () => ({
    attn: new Float32Array(rows),
    mlp: new Float32Array(rows),
  }));
  const branches = factors.flatMap(({ attn, mlp }) => [attn, mlp]);
  for (let row = 0; row < rows; row++) {
    const group = Math.floor(row / what.images);
    // The first set has the factors that it has alone.
    const context = (group % sets) * what.contexts + Math.floor(group / sets);
    const sample = context * what.globalBatch + what.firstImage + (row % what.images);
    const random = randomAt({ seed: what.seed, purpose: "dropPath", step: what.step, sample });
    for (const [i, values] of branches.entries()) {
      const rate = dropPathRate(what.rate, Math.floor(i / 2), what.depth);
      values[row] = random.uniform() < rate ? 0 : 1 / (1 - rate);
    }
  }
  return factors;
}
