/**
 * How many context tokens the reference keeps: it cuts every mask to the shortest of its batch, so the length depends
 * on the batch size. Its mean is estimated once, at compile time and with fixed random numbers.
 */
import type { Size } from "../../runtime/masks/blocks";
import { ImageDrawer } from "../../runtime/masks/draw";
import { randomAt } from "../../runtime/random/random";
import type { MaskSettings, MaskSizes } from "./settings";

/** How much is drawn over all sizes, in words of 32 patches; about 0.1 s. Drawing an image costs as much as 64 words. */
const WORDS = 12_000_000;
const WORDS_PER_IMAGE = 64;
/** Batches drawn of a rare pair of sizes: what suffices, and the least that is drawn however many pairs there are. */
const BATCHES = { enough: 24, least: 2 };
/** Tries to place a context, on average, beyond which drawing may stop early. */
const TRIES_PER_CONTEXT = 8;

/** The mean length of a context after the cut, for every target size. */
export function expectedContextTokens(settings: MaskSettings, { targets, contexts }: MaskSizes): number[] {
  const { grid, deviceBatch, minKeep } = settings;
  const words = 2 * grid.height * Math.ceil(grid.width / 32);
  const imagesOfAll = WORDS / (WORDS_PER_IMAGE + words);
  const leastImages = BATCHES.least * deviceBatch;
  const imagesOfRare = Math.min(BATCHES.enough * deviceBatch, imagesOfAll / (targets.length * contexts.length));
  return targets.map((target) => {
    let mean = 0;
    for (const context of contexts) {
      const share = imagesOfAll * target.probability * context.probability;
      const images = Math.ceil(Math.max(share, imagesOfRare, leastImages));
      const counts = drawLengths(settings, { target, context }, { images, leastImages, wanted: minKeep + 1 });
      mean += context.probability * meanOfShortest(counts, deviceBatch);
    }
    return mean;
  });
}

export interface LengthDraws {
  readonly images: number;
  /** Where contexts are hard to place, drawing stops early, but not before this many images; `images` if left out. */
  readonly leastImages?: number;
  /** A context is drawn again while it has fewer tokens, as the sampler does. */
  readonly wanted: number;
}

/** How many draws left that many tokens in the shortest context of their image: index = tokens. */
export function drawLengths(
  settings: MaskSettings,
  sizes: { readonly target: Size; readonly context: Size },
  { images, leastImages = images, wanted }: LengthDraws,
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
  const mostTries = TRIES_PER_CONTEXT * images * context.count;
  for (let i = 0; i < images && (i < leastImages || drawer.tries < mostTries); i++) {
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
