/** What the recorded runs of all objectives have in common. */
import type { Program, VisiblePlan } from "../../runtime/masks/plan";
import type { Trace } from "../../runtime/replay/trace";

/** A ratio whose product with `dim`, rounded down, is `hidden`. */
export const ratioOf = (hidden: number, dim: number): number => (hidden + 0.5) / dim;

/** What a recorded run of masked patches has of its own: the class token, and AdamW's second decay. */
export const maskedFields = ({ config: { beta2 }, classToken }: Pick<Trace, "config" | "classToken">) => ({
  encoder: { classToken },
  optimization: { ...(beta2 !== null && { adamw: { beta2 } }) },
});

/** Patches that were drawn at random, one by one. */
export const recordedVisible = (trace: Trace): VisiblePlan => ({
  gridHeight: trace.grid,
  gridWidth: trace.grid,
  targetCount: 1,
  unit: 1,
  programs: recordedPrograms(trace),
});

/** How many sets of masks an image has, as a plan says it. */
export const recordedSets = ({ sets }: Pick<Trace, "sets">): { readonly setCount?: number } =>
  sets === 1 ? {} : { setCount: sets };

/** One program for every pair of lengths that was recorded. */
export function recordedPrograms({ lengths }: Trace): readonly Program[] {
  const batches = lengths.flat();
  const keyOf = ({ contextTokens, targetTokens }: (typeof batches)[number]): string =>
    `${contextTokens} ${targetTokens}`;
  const pairs = new Map(batches.map((pair) => [keyOf(pair), pair] as const));
  return [...pairs].map(([key, pair]) => ({
    ...pair,
    probability: batches.filter((batch) => keyOf(batch) === key).length / batches.length,
  }));
}
