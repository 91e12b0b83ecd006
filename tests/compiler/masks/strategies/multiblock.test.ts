import { describe, expect, test } from "vitest";
import { multiblock } from "../../../../compiler/masks/strategies/multiblock";
import { paperMasks } from "../../../support/official-masks";

describe("context tokens of the reference", () => {
  test("the plan's mean is the recorded one", () => {
    for (const [batch, want] of [
      [1, 110],
      [16, 81.2],
      [128, 68.7],
    ] as const) {
      const { programs } = multiblock.plan({ ...paperMasks, drawnTogether: batch });
      const mean = programs.reduce((sum, { contextTokens, probability }) => sum + contextTokens * probability, 0);
      expect(Math.abs(mean - want)).toBeLessThan(1);
    }
  });
});

describe("plans", () => {
  test("the official H/14", () => {
    const plan = multiblock.plan(paperMasks);
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
    expect(multiblock.plan(paperMasks)).toEqual(multiblock.plan({ ...paperMasks }));
  });

  test("a number of tokens holds for every program", () => {
    const plan = multiblock.plan({ ...paperMasks, context: { ...paperMasks.context, tokens: 50 } });
    expect(plan.programs.map(({ contextTokens }) => contextTokens)).toEqual([50, 50, 50, 50, 50]);
  });

  test("larger batches keep fewer tokens, larger targets too", () => {
    const tokens = [1, 8, 128].map((drawnTogether) =>
      multiblock.plan({ ...paperMasks, drawnTogether }).programs.map(({ contextTokens }) => contextTokens),
    );
    for (const list of tokens) expect(list).toEqual([...list].sort((a, b) => b - a));
    expect(tokens[0]?.[2]).toBeGreaterThan(tokens[1]?.[2] ?? 0);
    expect(tokens[1]?.[2]).toBeGreaterThan(tokens[2]?.[2] ?? 0);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
