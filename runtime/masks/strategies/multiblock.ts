/**
 * Multi-block masking, the paper's own: several target blocks, and a large context block without their patches.
 *
 * Every context has exactly the tokens of its program. Too many: the reference drops the highest indices, as its cut to
 * the shortest mask of the batch does; the unbiased sampler drops at random. Too few: the image is drawn again, at most
 * `MAX_DRAWS` times; then the best draw is topped up (see `topUp`). This always ends.
 */

import { type Random, randomAt } from "../../random/random";
import { lengthsOf } from "../../step/lengths";
import type { MaskBatch, SetRequest, StepAt } from "../batch";
import { areaOf, pickSize } from "../blocks";
import { choose } from "../choose";
import { Cover } from "../cover";
import type { BlockSize, MultiblockPlan, TargetSize } from "../plan";
import { purposeOfSet } from "../sets";
import { type ContextDraw, type ImageDraw, ImageDrawer } from "./multiblock-draw";

/** Draws of one image before the best of them is topped up. */
export const MAX_DRAWS = 64;

/** The block sizes of a step. */
export function stepSizes(plan: MultiblockPlan, { seed, step }: StepAt): StepSizes {
  const random = randomAt({ seed, purpose: "masks.sizes", step });
  return { target: pickSize(plan.sizes, random.uniform()), context: pickSize(plan.contextSizes, random.uniform()) };
}

export interface StepSizes {
  readonly target: TargetSize;
  readonly context: BlockSize;
}

export function sampleMultiblock(plan: MultiblockPlan, request: SetRequest): MaskBatch {
  const { seed, step, images, firstImage, set = 0 } = request;
  const sizes = stepSizes(plan, request);
  const { target } = sizes;
  const lengths = lengthsOf({ contextTokens: target.contextTokens, targetTokens: areaOf(target) }, plan.targetCount);
  const contextIndex = new Int32Array(plan.contextCount * images * lengths.C);
  const targetIndex = new Int32Array(images * lengths.U);
  const drawer = new ImageDrawer(plan);
  const listing = new ContextListing(plan, sizes);
  // The reference only asks for more than minKeep patches; what is too short for the program is drawn again as a whole.
  const wanted = plan.sampler === "reference" ? plan.minKeep + 1 : lengths.C;
  let redraws = 0;
  let toppedUp = 0;

  for (let image = 0; image < images; image++) {
    const random = randomAt({ seed, purpose: purposeOfSet("masks.positions", set), step, sample: firstImage + image });
    let best = drawer.draw(random, sizes, wanted);
    for (let draws = 1; best.shortest < lengths.C && draws < MAX_DRAWS; draws++) {
      const next = drawer.draw(random, sizes, wanted);
      if (next.shortest > best.shortest) best = next;
      redraws++;
    }
    if (best.shortest < lengths.C) toppedUp++;

    for (const [j, { top, left }] of best.targets.entries()) {
      let at = image * lengths.U + j * lengths.T;
      for (let y = top; y < top + target.height; y++) {
        for (let x = left; x < left + target.width; x++) targetIndex[at++] = y * plan.gridWidth + x;
      }
    }
    for (const [j, context] of best.contexts.entries()) {
      const at = (j * images + image) * lengths.C;
      listing.write(contextIndex.subarray(at, at + lengths.C), best, context, random);
    }
  }
  return { program: target.program, lengths, contextIndex, targetIndex, redraws, toppedUp };
}

/** Lists the patches of contexts. */
class ContextListing {
  readonly #plan: MultiblockPlan;
  readonly #sizes: StepSizes;
  readonly #avoided: Cover;
  readonly #block: Cover;
  readonly #patches: number[] = [];

  constructor(plan: MultiblockPlan, sizes: StepSizes) {
    const grid = { height: plan.gridHeight, width: plan.gridWidth };
    this.#plan = plan;
    this.#sizes = sizes;
    this.#avoided = new Cover(grid);
    this.#block = new Cover(grid);
  }

  /** Fills `out` with patches of the context, ascending. */
  write(out: Int32Array, { targets }: ImageDraw, context: ContextDraw, random: Random): void {
    this.#avoided.clear();
    for (const place of targets.slice(0, context.avoided)) this.#avoided.add(this.#sizes.target, place);
    const { top, left } = context.place;
    const { height, width } = this.#sizes.context;
    const patches = this.#patches;
    patches.length = 0;
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        if (!this.#avoided.has(y, x)) patches.push(y * this.#plan.gridWidth + x);
      }
    }
    if (patches.length < out.length) {
      this.#topUp(out, context, targets, random);
    } else if (this.#plan.sampler === "reference") {
      for (let i = 0; i < out.length; i++) out[i] = patches[i] ?? 0;
    } else {
      choose(out, 0, patches, out.length, random);
    }
  }

  /**
   * Adds to the patches found so far: at random from those outside the block and all targets, then from the block's
   * patches that targets cover, then from whatever is left.
   */
  #topUp(out: Int32Array, { place }: ContextDraw, targets: readonly { top: number; left: number }[], random: Random) {
    const { gridHeight, gridWidth } = this.#plan;
    const found = new Set(this.#patches);
    this.#block.clear();
    this.#block.add(this.#sizes.context, place);
    this.#avoided.clear();
    for (const target of targets) this.#avoided.add(this.#sizes.target, target);
    const tiers: [number[], number[], number[]] = [[], [], []];
    for (let patch = 0; patch < gridHeight * gridWidth; patch++) {
      if (found.has(patch)) continue;
      const [y, x] = [Math.floor(patch / gridWidth), patch % gridWidth];
      const tier = this.#block.has(y, x) ? 1 : this.#avoided.has(y, x) ? 2 : 0;
      tiers[tier].push(patch);
    }
    out.set(this.#patches);
    let filled = this.#patches.length;
    for (const tier of tiers) {
      const count = Math.min(tier.length, out.length - filled);
      choose(out, filled, tier, count, random);
      filled += count;
    }
    if (filled < out.length) throw new Error("internal: a context of more tokens than the grid has patches");
    out.sort();
  }
}
