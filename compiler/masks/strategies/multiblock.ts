/** Multi-block masking: every block size that can occur, the tokens kept for each, and the programs that follow. */

import { areaOf, type Size } from "../../../runtime/masks/blocks";
import type { MultiblockPlan, Program, TargetSize } from "../../../runtime/masks/plan";
import { MAX_DRAWS } from "../../../runtime/masks/strategies/multiblock";
import { drawLengths, expectedContextTokens } from "../context-tokens";
import { type MaskSizes, type MultiblockSettings, maskSizes } from "../settings";
import type { MaskPlanProblem, Strategy } from "./strategy";

export const multiblock: Strategy<"multiblock"> = { plan: planOf, problems: problemsOf };

function planOf(settings: MultiblockSettings): MultiblockPlan {
  const { grid, sampler, targets, context, minKeep, allowOverlap } = settings;
  const sizes = maskSizes(settings);
  const programs: Program[] = [...contextTokensByArea(settings, sizes)].map(([targetTokens, contextTokens]) => ({
    contextTokens,
    targetTokens,
    probability: sum(sizes.targets.filter((size) => areaOf(size) === targetTokens).map((size) => size.probability)),
  }));
  return {
    strategy: "multiblock",
    gridHeight: grid.height,
    gridWidth: grid.width,
    sampler,
    targetCount: targets.count,
    contextCount: context.count,
    minKeep,
    allowOverlap,
    sizes: sizes.targets.map((size): TargetSize => {
      const program = programs.findIndex(({ targetTokens }) => targetTokens === areaOf(size));
      return { ...size, contextTokens: programs[program]?.contextTokens ?? 0, program };
    }),
    contextSizes: sizes.contexts,
    programs,
  };
}

/** Context tokens for every number of target tokens, ascending. Blocks of equal area share a program. */
function contextTokensByArea(settings: MultiblockSettings, { targets, contexts }: MaskSizes): Map<number, number> {
  const { tokens } = settings.context;
  const areas = [...new Set(targets.map(areaOf))];
  if (tokens !== "auto") return new Map(areas.map((area) => [area, tokens]));
  const expected = expectedContextTokens(settings, { targets, contexts });
  return new Map(
    areas.map((area) => {
      const members = targets
        .map((size, i) => ({ size, mean: expected[i] ?? 0 }))
        .filter(({ size }) => areaOf(size) === area);
      const share = sum(members.map(({ size }) => size.probability));
      const mean = sum(members.map(({ size, mean }) => size.probability * mean)) / share;
      return [area, Math.max(1, Math.round(mean))];
    }),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Draws per pair of sizes, pairs that are tried, and the share of images whose context may have to be topped up. */
const DRAWS = 2048;
const PAIRS = 32;
const MOST_TOPPED_UP = 0.01;

/** The sizes are exact, the reach of a number of context tokens is sampled. */
function problemsOf(settings: MultiblockSettings): readonly MaskPlanProblem[] {
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
