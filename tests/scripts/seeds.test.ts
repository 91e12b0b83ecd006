/** Tables of runs over seeds: the quickstart's, and ours beside those of the official code. */
import { describe, expect, it } from "vitest";
import type { EvaluationReport } from "../../runtime/evaluate/evaluation-report";
import { besideOfficial, type OfficialRuns } from "../../scripts/beside-official-page";
import { addedTable } from "../../scripts/quickstart-page";
import type { SeedRun, SeedsRecord } from "../../scripts/seeds-record";
import { sampleOf, standardErrorsApart } from "../../scripts/statistics";

/** A run with one task, whose linear probe came to these shares by representation. */
function run(seed: number, ...probes: readonly [number, number, number]): SeedRun {
  const report: EvaluationReport = {
    trainImages: 8,
    validationImages: 4,
    testImages: 5000,
    neighbours: 1,
    tasks: [{ name: "count", classes: 4, chance: 0.25 }],
    rows: probes.map((linearProbe, i) => ({
      representation: `row ${i}`,
      dimension: 2,
      tasks: [{ linearProbe, knn: linearProbe / 2, l2: 1 }],
      collapse: { rankMe: 10 + seed, featureSpread: 1 },
    })),
  };
  return { seed, loss: 0.1 + seed / 100, report };
}

describe("the difference of two means in standard errors", () => {
  it.each([
    { a: [1, 3], b: [0, 2], want: 1 / Math.sqrt(1 + 1) },
    { a: [5, 5, 8], b: [6, 6, 6], want: 0 },
    { a: [0, 0, 3], b: [2, 4], want: -2 / Math.sqrt(1 + 1) },
  ])("of $a and $b", ({ a, b, want }) => {
    expect(standardErrorsApart(sampleOf(a), sampleOf(b))).toBeCloseTo(want, 12);
  });
});

describe("what training added", () => {
  it("is the trained encoder less each baseline, seed by seed, and their mean", () => {
    const lines = addedTable([run(0, 0.5, 0.4, 0.45), run(4, 0.4, 0.4, 0.5)]).split("\n");
    expect(lines).toEqual([
      "|  | seed 0 | seed 4 | mean |",
      "| --- | ---: | ---: | ---: |",
      "| count, over random initialization | +10.0 | +0.0 | +5.0 |",
      "| count, over raw pixels | +5.0 | −10.0 | −2.5 |",
      "",
      "For one seed, chance in 5000 test images alone moves such a difference by up to ±1.0 (one standard error).",
    ]);
  });

  it("throws of a report without a baseline", () => {
    const whole = run(0, 0.5, 0.4, 0.45);
    const report = { ...whole.report, rows: whole.report.rows.slice(0, 2) };
    expect(() => addedTable([{ ...whole, report }])).toThrow("lacks row 2");
  });
});

describe("ours beside the official code", () => {
  const official: OfficialRuns = {
    code: "official",
    date: "2026-11-27",
    seeds: 5,
    probes: [{ task: "count", linearProbe: [45, 5], knn: [25, 5] }],
    rankMe: [11, 1],
    loss: [0.1, 0.01],
  };
  const record: SeedsRecord = {
    spec: "experiments/a.json",
    specHash: "0",
    engine: "ours",
    node: "v20",
    date: "2026-11-27",
    runs: [run(0, 0.4, 0, 0), run(2, 0.6, 0, 0)],
  };

  it("has a row for each quantity, the difference in standard errors", () => {
    const lines = besideOfficial(official, record).split("\n");
    expect(lines.slice(2)).toEqual([
      "|  | official, 5 seeds | ours, 2 seeds | ours − official, in standard errors |",
      "| --- | ---: | ---: | ---: |",
      "| count, linear probe, % | 45.0 ± 5.0 | 50.0 ± 14.1 | +0.5 |",
      "| count, k-NN, % | 25.0 ± 5.0 | 25.0 ± 7.1 | +0.0 |",
      "| RankMe | 11.0 ± 1.0 | 11.0 ± 1.4 | +0.0 |",
      "| loss of the last 512 steps | 0.100 ± 0.010 | 0.110 ± 0.014 | +0.9 |",
    ]);
  });
});
