import { describe, expect, test } from "vitest";
import { drawLengths, meanOfShortest } from "../../../compiler/plan/context-tokens";
import { type MaskPlanProblem, maskPlanProblems } from "../../../compiler/plan/mask-problems";
import { buildMaskPlan, type MaskSettings } from "../../../compiler/plan/masks";
import { maskSettings, officialMasks, officialSettings } from "../../support/official-masks";

const paper: MaskSettings = {
  grid: { height: 16, width: 16 },
  sampler: "reference",
  targets: { count: 4, scale: [0.15, 0.2], aspect: [0.75, 1.5] },
  context: { count: 1, scale: [0.85, 1], tokens: "auto" },
  minKeep: 10,
  allowOverlap: false,
  deviceBatch: 128,
};

describe("context tokens of the reference", () => {
  test.each(officialSettings)("%s: untruncated and after the cut, at every recorded batch size", (_, setting) => {
    const { n_batches, block_sizes_by_counter, context_len_by_batch_size, context_len_untruncated } = setting.stats;
    const settings = maskSettings(setting, 1);
    // The recorded batches drew their sizes; what is compared here are the lengths that follow.
    const pairs = new Map<string, { counts: Uint32Array; share: number }>();
    for (const [targetHeight, targetWidth, contextHeight, contextWidth] of block_sizes_by_counter) {
      const key = [targetHeight, targetWidth, contextHeight, contextWidth].join();
      const sizes = {
        target: { height: targetHeight, width: targetWidth },
        context: { height: contextHeight, width: contextWidth },
      };
      let pair = pairs.get(key);
      if (pair === undefined) {
        const counts = drawLengths(settings, sizes, { images: 4096, wanted: settings.minKeep + 1 });
        pair = { counts, share: 0 };
        pairs.set(key, pair);
      }
      pair.share += 1 / n_batches;
    }
    const expected = (batch: number) =>
      [...pairs.values()].reduce((sum, { counts, share }) => sum + share * meanOfShortest(counts, batch), 0);
    for (const [batch, { mean, std }] of Object.entries(context_len_by_batch_size)) {
      expect(Math.abs(expected(Number(batch)) - mean), `batch ${batch}`).toBeLessThanOrEqual(
        (4 * std) / Math.sqrt(n_batches) + 0.002 * mean,
      );
    }
    if (settings.context.count === 1) {
      expect(Math.abs(expected(1) / context_len_untruncated.mean - 1)).toBeLessThan(0.005);
    }
  });

  test("the plan's mean is the recorded one", () => {
    for (const [batch, want] of [
      [1, 110],
      [16, 81.2],
      [128, 68.7],
    ] as const) {
      const { programs } = buildMaskPlan({ ...paper, deviceBatch: batch });
      const mean = programs.reduce((sum, { contextTokens, probability }) => sum + contextTokens * probability, 0);
      expect(Math.abs(mean - want)).toBeLessThan(1);
    }
  });
});

test("the mean of the shortest, over all choices", () => {
  // Lengths 1, 2, 2, 4; pairs: (1,2) (1,2) (1,4) (2,2) (2,4) (2,4) → shortest 1, 1, 1, 2, 2, 2.
  const counts = Uint32Array.of(0, 1, 2, 0, 1);
  expect(meanOfShortest(counts, 1)).toBeCloseTo(9 / 4, 12);
  expect(meanOfShortest(counts, 2)).toBeCloseTo(9 / 6, 12);
  expect(meanOfShortest(counts, 4)).toBeCloseTo(1, 12);
});

describe("plans", () => {
  test("the official H/14", () => {
    const plan = buildMaskPlan(paper);
    expect(plan.sizes.map(({ height, width }) => `${height}x${width}`)).toEqual([
      "5x7",
      "6x6",
      "6x7",
      "7x6",
      "8x6",
      "9x6",
    ]);
    expect(plan.contextSizes).toEqual([{ height: 15, width: 15, probability: 1 }]);
    expect(plan.programs.map(({ targetTokens }) => targetTokens)).toEqual([35, 36, 42, 48, 54]);
    const { contextTokens, program } = plan.sizes[2] ?? { contextTokens: 0, program: -1 };
    expect(plan.programs[program]?.contextTokens).toBe(contextTokens);
    expect(sum(plan.programs.map(({ probability }) => probability))).toBeCloseTo(1, 12);
  });

  test("the same settings give the same plan", () => {
    expect(buildMaskPlan(paper)).toEqual(buildMaskPlan({ ...paper }));
  });

  test("a number of tokens holds for every program", () => {
    const plan = buildMaskPlan({ ...paper, context: { ...paper.context, tokens: 50 } });
    expect(plan.programs.map(({ contextTokens }) => contextTokens)).toEqual([50, 50, 50, 50, 50]);
  });

  test("larger batches keep fewer tokens, larger targets too", () => {
    const tokens = [1, 8, 128].map((deviceBatch) =>
      buildMaskPlan({ ...paper, deviceBatch }).programs.map(({ contextTokens }) => contextTokens),
    );
    for (const list of tokens) expect(list).toEqual([...list].sort((a, b) => b - a));
    expect(tokens[0]?.[2]).toBeGreaterThan(tokens[1]?.[2] ?? 0);
    expect(tokens[1]?.[2]).toBeGreaterThan(tokens[2]?.[2] ?? 0);
  });
});

describe("problems", () => {
  const kinds = (problems: readonly MaskPlanProblem[]) => problems.map(({ kind }) => kind);
  const withTokens = (tokens: number): MaskSettings => ({ ...paper, context: { ...paper.context, tokens } });

  test("none with any official setting", () => {
    for (const setting of Object.values(officialMasks.settings)) {
      expect(maskPlanProblems(maskSettings(setting, 16))).toEqual([]);
    }
  });

  test("targets of no more than minKeep patches", () => {
    const problems = maskPlanProblems({ ...paper, minKeep: 36 });
    expect(problems).toMatchObject([
      { kind: "target too small", size: { height: 5, width: 7 }, minKeep: 36 },
      { kind: "target too small", size: { height: 6, width: 6 }, minKeep: 36 },
    ]);
  });

  test("contexts of no more than minKeep patches", () => {
    const settings = { ...paper, context: { ...paper.context, scale: [0.01, 0.02] as const } };
    expect(new Set(kinds(maskPlanProblems(settings)))).toEqual(new Set(["context too small"]));
  });

  test("context tokens that few draws leave", () => {
    expect(maskPlanProblems(withTokens(60))).toEqual([]);
    const [problem] = maskPlanProblems(withTokens(150));
    expect(problem).toMatchObject({
      kind: "context tokens out of reach",
      tokens: 150,
      target: { height: 9, width: 6 },
    });
    if (problem?.kind !== "context tokens out of reach") throw new Error("no such problem");
    expect(problem.share).toBeLessThan(0.05);
    expect(problem.median).toBeGreaterThan(80);
    expect(problem.median).toBeLessThan(110);
    expect(maskPlanProblems(withTokens(problem.median))).toEqual([]);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
