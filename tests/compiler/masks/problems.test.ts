import { describe, expect, test } from "vitest";
import { type MaskPlanProblem, maskPlanProblems } from "../../../compiler/masks/problems";
import type { MaskSettings } from "../../../compiler/masks/settings";
import { maskSettings, officialMasks } from "../../support/official-masks";

const paper: MaskSettings = {
  grid: { height: 16, width: 16 },
  sampler: "reference",
  targets: { count: 4, scale: [0.15, 0.2], aspect: [0.75, 1.5] },
  context: { count: 1, scale: [0.85, 1], tokens: "auto" },
  minKeep: 10,
  allowOverlap: false,
  deviceBatch: 128,
};

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
