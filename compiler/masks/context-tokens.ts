/**
 * How many context tokens the reference keeps: it cuts every mask to the shortest of its batch, so the length depends
 * on the batch size. Its mean is estimated once, at compile time and with fixed random numbers.
 */
import type { Size } from "../../runtime/masks/blocks";
import { ImageDrawer } from "../../runtime/masks/draw";
import { randomAt } from "../../runtime/random/random";
import type { MaskSettings, MaskSizes } from "./settings";

/** Images drawn over all sizes, and per pair of sizes at least this many batches. */
const IMAGES = 98_304;
const BATCHES_PER_PAIR = 24;

/** The mean length of a context after the cut, for every target size. */
export function expectedContextTokens(settings: MaskSettings, { targets, contexts }: MaskSizes): number[] {
  const { deviceBatch, minKeep } = settings;
  return targets.map((target) => {
    let mean = 0;
    for (const context of contexts) {
      const share = Math.ceil(IMAGES * target.probability * context.probability);
      const images = Math.max(share, BATCHES_PER_PAIR * deviceBatch);
      const counts = drawLengths(settings, { target, context }, { images, wanted: minKeep + 1 });
      mean += context.probability * meanOfShortest(counts, deviceBatch);
    }
    return mean;
  });
}

/**
 * Of `images` draws, how many left that many tokens in their shortest context: index = tokens. A context is drawn
 * again while it has fewer than `wanted`, as the sampler does.
 */
export function drawLengths(
  settings: MaskSettings,
  sizes: { readonly target: Size; readonly context: Size },
  { images, wanted }: { readonly images: number; readonly wanted: number },
): Uint32Array {
  const { grid, sampler, targets, context, allowOverlap } = settings;
  const drawer = new ImageDrawer({
    gridHeight: grid.height,
    gridWidth: grid.width,
    sampler,
    targetCount: targets.count,
    contextCount: context.count,
    allowOverlap,
  });
  const { target } = sizes;
  const random = randomAt({
    seed: 0,
    purpose: `plan.context ${target.height}x${target.width} ${sizes.context.height}x${sizes.context.width}`,
  });
  const counts = new Uint32Array(grid.height * grid.width + 1);
  for (let i = 0; i < images; i++) {
    const { shortest } = drawer.draw(random, sizes, wanted);
    counts[shortest] = (counts[shortest] ?? 0) + 1;
  }
  return counts;
}

/**
 * The mean, over all ways to choose `batch` of the draws, of the shortest one: Σ_t P(all ≥ t). Unbiased, and far
 * cheaper than drawing as many batches.
 */
export function meanOfShortest(counts: Uint32Array, batch: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let atLeast = total;
  let mean = 0;
  for (let tokens = 1; tokens < counts.length; tokens++) {
    atLeast -= counts[tokens - 1] ?? 0;
    if (atLeast < batch) break;
    let probability = 1;
    for (let i = 0; i < batch && atLeast < total; i++) probability *= (atLeast - i) / (total - i);
    mean += probability;
  }
  return mean;
}
