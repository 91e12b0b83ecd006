/**
 * Positions of the blocks of one image: targets first, then contexts that avoid them. The same code draws the masks of
 * the trainer and the lengths from which the compiler decides how many context tokens a program keeps.
 */

import type { Random } from "../../random/random";
import type { Size } from "../blocks";
import { Cover, type Place } from "../cover";
import type { MultiblockPlan } from "../plan";

/** The part of a mask plan that decides positions. */
export type DrawSettings = Pick<
  MultiblockPlan,
  "gridHeight" | "gridWidth" | "sampler" | "targetCount" | "contextCount" | "allowOverlap"
>;

export interface ContextDraw {
  readonly place: Place;
  /** How many of the targets, from the first on, are left out of the context; fewer than all only where relaxed. */
  readonly avoided: number;
  /** Patches of the block outside those targets. */
  readonly tokens: number;
}

export interface ImageDraw {
  readonly targets: readonly Place[];
  readonly contexts: readonly ContextDraw[];
  /** Tokens of the shortest context. */
  readonly shortest: number;
}

/** Failures after which the reference stops avoiding one more target (reference.md §1.5). */
export const TRIES_PER_RELAXATION = 20;

/** Draws images of one setting; it keeps a scratch area, nothing else. */
export class ImageDrawer {
  readonly #settings: DrawSettings;
  readonly #cover: Cover;
  #tries = 0;

  constructor(settings: DrawSettings) {
    this.#settings = settings;
    this.#cover = new Cover({ height: settings.gridHeight, width: settings.gridWidth });
  }

  /** How often a context was placed so far. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * One image. A context with fewer than `wanted` tokens is drawn again: by the reference with ever fewer targets to
   * avoid until it succeeds or is free of them all, by the unbiased sampler 20 times.
   */
  draw(random: Random, sizes: { readonly target: Size; readonly context: Size }, wanted: number): ImageDraw {
    const { targetCount, contextCount, allowOverlap } = this.#settings;
    const targets: Place[] = [];
    for (let i = 0; i < targetCount; i++) targets.push(this.#place(random, sizes.target));
    const contexts: ContextDraw[] = [];
    let shortest = Number.POSITIVE_INFINITY;
    for (let j = 0; j < contextCount; j++) {
      const context = this.#context(random, sizes, allowOverlap ? [] : targets, wanted);
      contexts.push(context);
      shortest = Math.min(shortest, context.tokens);
    }
    return { targets, contexts, shortest };
  }

  #context(
    random: Random,
    { target, context }: { readonly target: Size; readonly context: Size },
    targets: readonly Place[],
    wanted: number,
  ): ContextDraw {
    const lastRelaxation = this.#settings.sampler === "reference" ? targets.length : 0;
    let best: ContextDraw | null = null;
    for (let relaxed = 0; relaxed <= lastRelaxation; relaxed++) {
      const avoided = targets.length - relaxed;
      this.#cover.clear();
      for (const place of targets.slice(0, avoided)) this.#cover.add(target, place);
      for (let tries = 0; tries < TRIES_PER_RELAXATION; tries++) {
        this.#tries++;
        const place = this.#place(random, context);
        const tokens = this.#cover.countFree(context, place);
        if (best === null || tokens > best.tokens) best = { place, avoided, tokens };
        if (tokens >= wanted) return best;
      }
    }
    if (best === null) throw new Error("internal: no context was drawn");
    return best;
  }

  /** The reference leaves out the last offset of either side (reference.md §1.4). */
  #place(random: Random, { height, width }: Size): Place {
    const { gridHeight, gridWidth, sampler } = this.#settings;
    const inclusive = sampler === "unbiased" ? 1 : 0;
    const top = random.integer(gridHeight - height + inclusive);
    return { top, left: random.integer(gridWidth - width + inclusive) };
  }
}
