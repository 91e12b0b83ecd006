/**
 * How many context tokens the reference keeps: it cuts every mask to the shortest of its batch, so the length depends
 * on the batch size. Its mean is estimated once, at compile time and with fixed random numbers.
 */
import type { Size } from "../../runtime/masks/blocks";
import { type DrawSettings, ImageDrawer } from "../../runtime/masks/strategies/multiblock-draw";
import { type Random, randomAt } from "../../runtime/random/random";
import type { MaskSizes, MultiblockSettings } from "./settings";

/** How much is drawn over all sizes, in words of 32 patches; about 0.1 s. Drawing an image costs as much as 64 words. */
const WORDS = 12_000_000;
const WORDS_PER_IMAGE = 64;
/** Batches drawn of a rare pair of sizes: what suffices, and the least that is drawn however many pairs there are. */
const BATCHES = { enough: 24, least: 2 };
/** Tries to place a context, on average, beyond which drawing may stop early. */
const TRIES_PER_CONTEXT = 8;

/** The mean length of a context after the cut, for every target size. */
export function expectedContextTokens(settings: MultiblockSettings, { targets, contexts }: MaskSizes): number[] {
  const { grid, drawnTogether, minKeep } = settings;
  const words = 2 * grid.height * Math.ceil(grid.width / 32);
  const imagesOfAll = WORDS / (WORDS_PER_IMAGE + words);
  const leastImages = BATCHES.least * drawnTogether;
  const imagesOfRare = Math.min(BATCHES.enough * drawnTogether, imagesOfAll / (targets.length * contexts.length));
  return targets.map((target) => {
    let mean = 0;
    for (const context of contexts) {
      const share = imagesOfAll * target.probability * context.probability;
      const images = Math.ceil(Math.max(share, imagesOfRare, leastImages));
      const counts = drawLengths(settings, { target, context }, { images, leastImages, wanted: minKeep + 1 });
      mean += context.probability * meanOfShortest(counts, drawnTogether);
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
  settings: MultiblockSettings,
  sizes: { readonly target: Size; readonly context: Size },
  { images, leastImages = images, wanted }: LengthDraws,
): Uint32Array {
  const { grid, sampler, targets, context, allowOverlap } = settings;
  const lengths = lengthsOf(
    {
      gridHeight: grid.height,
      gridWidth: grid.width,
      sampler,
      targetCount: targets.count,
      contextCount: context.count,
      allowOverlap,
    },
    sizes,
    wanted,
  );
  return lengths.counts({ images, leastImages, mostTries: TRIES_PER_CONTEXT * images * context.count });
}

/**
 * The lengths of one setting, image after image: drawn when they are first asked for, and kept, since the rules, the
 * plan, and the points of a sweep that differ in their batch size ask for the beginning of the same row.
 */
class Lengths {
  readonly #drawer: ImageDrawer;
  readonly #random: Random;
  readonly #patches: number;
  /** Tokens of the shortest context of every image, and how often contexts were placed before it. */
  #shortest = new Uint32Array(256);
  #tries = new Uint32Array(256);
  #drawn = 0;

  constructor(
    settings: DrawSettings,
    readonly sizes: { readonly target: Size; readonly context: Size },
    readonly wanted: number,
  ) {
    const { target, context } = sizes;
    this.#drawer = new ImageDrawer(settings);
    this.#patches = settings.gridHeight * settings.gridWidth;
    const purpose = `plan.context ${target.height}x${target.width} ${context.height}x${context.width}`;
    this.#random = randomAt({ seed: 0, purpose });
  }

  get drawn(): number {
    return this.#drawn;
  }

  counts(most: { readonly images: number; readonly leastImages: number; readonly mostTries: number }): Uint32Array {
    const counts = new Uint32Array(this.#patches + 1);
    for (let i = 0; i < most.images; i++) {
      if (i === this.#drawn) this.#draw();
      if (i >= most.leastImages && (this.#tries[i] ?? 0) >= most.mostTries) break;
      const shortest = this.#shortest[i] ?? 0;
      counts[shortest] = (counts[shortest] ?? 0) + 1;
    }
    return counts;
  }

  #draw(): void {
    if (this.#drawn === this.#shortest.length) {
      this.#shortest = twice(this.#shortest);
      this.#tries = twice(this.#tries);
    }
    this.#tries[this.#drawn] = this.#drawer.tries;
    this.#shortest[this.#drawn] = this.#drawer.draw(this.#random, this.sizes, this.wanted).shortest;
    this.#drawn += 1;
  }
}

function twice(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}

/** Images that are kept over all settings, at 8 bytes each; beyond that the settings that were not asked for longest go. */
const KEPT_IMAGES = 6_000_000;

const kept = new Map<string, Lengths>();

function lengthsOf(
  settings: DrawSettings,
  sizes: { readonly target: Size; readonly context: Size },
  wanted: number,
): Lengths {
  const { target, context } = sizes;
  const key = JSON.stringify([settings, target.height, target.width, context.height, context.width, wanted]);
  const found = kept.get(key) ?? new Lengths(settings, sizes, wanted);
  kept.delete(key);
  let images = [...kept.values()].reduce((sum, { drawn }) => sum + drawn, 0);
  for (const [oldest, { drawn }] of kept) {
    if (images <= KEPT_IMAGES) break;
    kept.delete(oldest);
    images -= drawn;
  }
  kept.set(key, found);
  return found;
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
