import { describe, expect, test } from "vitest";
import type { MaskSettings, MultiblockSettings } from "../../../../compiler/masks/settings";
import { buildMaskPlan, maskPlanProblems } from "../../../../compiler/masks/strategies";
import type { MaskPlanProblem } from "../../../../compiler/masks/strategies/strategy";
import { maskSettings, officialMasks, paperMasks } from "../../../support/official-masks";

describe("problems", () => {
  const kinds = (problems: readonly MaskPlanProblem[]) => problems.map(({ kind }) => kind);
  const withTokens = (tokens: number): MultiblockSettings => ({
    ...paperMasks,
    context: { ...paperMasks.context, tokens },
  });

  test("none with any official setting", () => {
    for (const setting of Object.values(officialMasks.settings)) {
      expect(maskPlanProblems(maskSettings(setting, 16))).toEqual([]);
    }
  });

  test("targets of no more than minKeep patches", () => {
    const problems = maskPlanProblems({ ...paperMasks, minKeep: 36 });
    expect(problems).toMatchObject([
      { kind: "target too small", size: { height: 5, width: 7 }, minKeep: 36 },
      { kind: "target too small", size: { height: 6, width: 6 }, minKeep: 36 },
    ]);
  });

  test("contexts of no more than minKeep patches", () => {
    const settings = { ...paperMasks, context: { ...paperMasks.context, scale: [0.01, 0.02] as const } };
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

describe("strategies whose context is all that is no target", () => {
  const grid = { height: 8, width: 8 };
  const block = (scale: readonly [number, number], aspect: readonly [number, number] = [0.75, 1.5]): MaskSettings => ({
    strategy: "block",
    grid,
    targets: { scale, aspect },
  });
  const random = (share: number): MaskSettings => ({ strategy: "random", grid, targets: { share } });

  test.each<[name: string, settings: MaskSettings, want: readonly object[]]>([
    ["the paperMasks's block", block([0.6, 0.6]), []],
    ["a block of one patch", block([0.016, 0.02], [1, 1]), []],
    ["a block that rounds to nothing", block([0.001, 0.3]), [{ kind: "nothing left", of: "target", field: "scale" }]],
    ["a block as large as the image", block([0.5, 1]), [{ kind: "nothing left", of: "context", field: "scale" }]],
    ["the paperMasks's share", random(0.6), []],
    ["all patches but one", random(0.99), []],
    ["a share that rounds to all", random(0.999), [{ kind: "nothing left", of: "context", field: "share" }]],
    ["a share that rounds to none", random(0.001), [{ kind: "nothing left", of: "target", field: "share" }]],
    ["quadrants", { strategy: "rasterized", grid }, []],
    ["an odd grid", { strategy: "rasterized", grid: { height: 7, width: 7 } }, [{ kind: "no quadrants" }]],
  ])("%s", (_, settings, want) => {
    expect(maskPlanProblems(settings)).toEqual(want);
  });

  test("plans: programs of fixed lengths that share out all patches", () => {
    expect(buildMaskPlan(random(0.6))).toEqual({
      strategy: "random",
      gridHeight: 8,
      gridWidth: 8,
      targetCount: 1,
      contextCount: 1,
      programs: [{ contextTokens: 26, targetTokens: 38, probability: 1 }],
    });
    expect(buildMaskPlan({ strategy: "rasterized", grid })).toMatchObject({
      targetCount: 3,
      programs: [{ contextTokens: 16, targetTokens: 16, probability: 1 }],
    });
    const { programs } = buildMaskPlan(block([0.5, 0.6]));
    expect(programs.length).toBeGreaterThan(1);
    expect(programs.every(({ contextTokens, targetTokens }) => contextTokens + targetTokens === 64)).toBe(true);
    expect(programs.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
  });
});
