/** Mask settings that can not be trained with, found before a plan is made. */
import { areaOf, type Size } from "../../runtime/masks/blocks";
import { MAX_DRAWS } from "../../runtime/masks/sampler";
import { drawLengths } from "./context-tokens";
import { type MaskSettings, type MaskSizes, maskSizes } from "./settings";

export type MaskPlanProblem =
  | { readonly kind: "target too small"; readonly size: Size; readonly minKeep: number }
  | { readonly kind: "context too small"; readonly size: Size; readonly minKeep: number }
  | {
      readonly kind: "context tokens out of reach";
      readonly tokens: number;
      /** The worst pair of sizes, and the share of its draws that leave enough tokens. */
      readonly target: Size;
      readonly context: Size;
      readonly share: number;
      /** What half of its draws reach. */
      readonly median: number;
    };

/** Draws per pair of sizes, pairs that are tried, and the share of images whose context may have to be topped up. */
const DRAWS = 2048;
const PAIRS = 32;
const MOST_TOPPED_UP = 0.01;

/**
 * What was found before: points of a sweep mostly share their masks, and an answer takes up to 0.1 s. Forgotten
 * when they become many.
 */
const answers = new Map<string, readonly MaskPlanProblem[]>();
const MOST_ANSWERS = 1024;

/**
 * What is wrong with these settings; empty where every draw of the sampler ends with good masks. The sizes are exact,
 * the reach of a number of context tokens is sampled.
 */
export function maskPlanProblems(settings: MaskSettings): readonly MaskPlanProblem[] {
  // Settings are plain values, in the order of the schema.
  const key = JSON.stringify(settings);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const found = problemsOf(settings);
  if (answers.size >= MOST_ANSWERS) answers.clear();
  answers.set(key, found);
  return found;
}

function problemsOf(settings: MaskSettings): readonly MaskPlanProblem[] {
  const { minKeep, context } = settings;
  const sizes = maskSizes(settings);
  const tooSmall = (size: Size): boolean => areaOf(size) <= minKeep || areaOf(size) === 0;
  // Beyond these the reference's rejection would never end (reference.md §1.5).
  const problems: MaskPlanProblem[] = [
    ...sizes.targets.filter(tooSmall).map((size) => ({ kind: "target too small" as const, size, minKeep })),
    ...sizes.contexts.filter(tooSmall).map((size) => ({ kind: "context too small" as const, size, minKeep })),
  ];
  const { tokens } = context;
  if (problems.length > 0 || tokens === "auto") return problems;

  const wanted = settings.sampler === "reference" ? minKeep + 1 : tokens;
  let worst: Extract<MaskPlanProblem, { kind: "context tokens out of reach" }> | null = null;
  for (const { target, context: block } of tightestPairs(sizes)) {
    const counts = drawLengths(settings, { target, context: block }, { images: DRAWS, wanted });
    const share = shareFrom(counts, tokens);
    if (worst !== null && share >= worst.share) continue;
    const median = counts.findLastIndex((_, length) => shareFrom(counts, length) >= 0.5);
    worst = { kind: "context tokens out of reach", tokens, target, context: block, share, median };
  }
  return worst !== null && (1 - worst.share) ** MAX_DRAWS > MOST_TOPPED_UP ? [worst] : [];
}

/** Pairs of sizes that leave the least room, so that wide ranges on a fine grid do not take minutes. */
function tightestPairs({ targets, contexts }: MaskSizes): { readonly target: Size; readonly context: Size }[] {
  const smallest = contexts.slice(0, PAIRS);
  const largest = targets.slice(-PAIRS);
  return smallest
    .flatMap((context) => largest.map((target) => ({ target, context })))
    .sort((a, b) => areaOf(a.context) - areaOf(a.target) - (areaOf(b.context) - areaOf(b.target)))
    .slice(0, PAIRS);
}

/** The share of draws with at least this many tokens. */
function shareFrom(counts: Uint32Array, tokens: number): number {
  return counts.subarray(tokens).reduce((sum, count) => sum + count, 0) / DRAWS;
}
