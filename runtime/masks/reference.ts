/**
 * The official mask collator, number for number (reference.md §1): what `masks.json` recorded comes out index for index.
 * Training uses `sampler.ts`, whose lengths are fixed; this file is the measure that it is held against.
 */
import type { Mt19937 } from "../random/mt19937";
import { type Grid, type Range, type Size, sharedSize } from "./blocks";

export interface CollatorSettings {
  readonly grid: Grid;
  readonly contextScale: Range;
  readonly contextCount: number;
  readonly targetScale: Range;
  readonly targetAspect: Range;
  readonly targetCount: number;
  /** A mask needs more patches than this. */
  readonly minKeep: number;
  readonly allowOverlap: boolean;
}

export interface CollatedMasks {
  readonly targetSize: Size;
  readonly contextSize: Size;
  /** [mask][image] → patches, ascending, cut to the shortest of the batch. */
  readonly context: readonly (readonly number[])[][];
  readonly target: readonly (readonly number[])[][];
  /** How often a forbidden region was dropped because no block fitted. */
  readonly relaxations: number;
}

export interface Generators {
  /** Seeded with the number of the batch; decides the sizes. */
  readonly sizes: Mt19937;
  /** Lives across batches; decides the positions. */
  readonly positions: Mt19937;
}

const TRIES_BEFORE_RELAXING = 20;

/** The sizes of a batch: target first, then context, one uniform number each. */
export function collatorSizes(settings: CollatorSettings, sizes: Mt19937): { target: Size; context: Size } {
  const { grid, targetScale, targetAspect, contextScale } = settings;
  const target = sharedSize({ grid, scale: targetScale, aspect: targetAspect, maySpan: false }, sizes.uniform());
  const context = sharedSize({ grid, scale: contextScale, aspect: [1, 1], maySpan: false }, sizes.uniform());
  return { target, context };
}

/** One call of the collator. Never returns where no block has more than `minKeep` patches: rule that out first. */
export function collate(settings: CollatorSettings, images: number, generators: Generators): CollatedMasks {
  const { grid, minKeep } = settings;
  const { target: targetSize, context: contextSize } = collatorSizes(settings, generators.sizes);
  for (const size of [targetSize, contextSize]) {
    if (size.height * size.width <= minKeep)
      throw new Error(`internal: a block of ${size.height}×${size.width} patches`);
  }
  let relaxations = 0;

  /** A block outside the given blocks; every 20 failures the last of them stops counting. */
  const draw = (size: Size, forbidden: readonly ReadonlySet<number>[]): number[] => {
    for (let failures = 0; ; ) {
      const top = generators.positions.integer(grid.height - size.height);
      const left = generators.positions.integer(grid.width - size.width);
      const counted = forbidden.slice(0, Math.max(forbidden.length - Math.floor(failures / TRIES_BEFORE_RELAXING), 0));
      const patches = patchesOf(size, top, left, grid).filter((patch) => !counted.some((block) => block.has(patch)));
      if (patches.length > minKeep) return patches;
      failures++;
      if (failures % TRIES_BEFORE_RELAXING === 0) relaxations++;
    }
  };

  const target: number[][][] = Array.from({ length: settings.targetCount }, () => []);
  const context: number[][][] = Array.from({ length: settings.contextCount }, () => []);
  for (let image = 0; image < images; image++) {
    for (const masks of target) masks.push(draw(targetSize, []));
    const blocks = settings.allowOverlap ? [] : target.map((masks) => new Set(masks[image]));
    for (const masks of context) masks.push(draw(contextSize, blocks));
  }
  return { targetSize, contextSize, target: cutToShortest(target), context: cutToShortest(context), relaxations };
}

/** The random-mask collator, which the official training never uses (reference.md §2). */
export function collateRandom(
  { patches, ratio: [low, high] }: { readonly patches: number; readonly ratio: Range },
  images: number,
  generators: Generators,
): { readonly context: number[][]; readonly target: number[][] } {
  const kept = Math.trunc(patches * (1 - (low + generators.sizes.uniform() * (high - low))));
  const orders = Array.from({ length: images }, () => generators.positions.permutation(patches));
  return { context: orders.map((order) => order.slice(0, kept)), target: orders.map((order) => order.slice(kept)) };
}

/** The patches of a block, ascending. */
export function patchesOf(size: Size, top: number, left: number, grid: Grid): number[] {
  const patches: number[] = [];
  for (let y = top; y < top + size.height; y++) {
    for (let x = left; x < left + size.width; x++) patches.push(y * grid.width + x);
  }
  return patches;
}

/** Cuts every mask to the first patches, as many as the shortest has: the bottom rows go first. */
function cutToShortest(masks: readonly (readonly number[])[][]): number[][][] {
  const shortest = Math.min(...masks.flat().map((patches) => patches.length));
  return masks.map((images) => images.map((patches) => patches.slice(0, shortest)));
}
