/** The page of ablations: sweeps that are recorded, and how their order compares with the paper's. */
import { describe, expect, it } from "vitest";
import { verdict } from "../../scripts/ablations-compare";
import { ablations } from "../../scripts/ablations-page";
import { paperTables } from "../../scripts/ablations-paper";
import { ablationPicture, ticksOf } from "../../scripts/ablations-picture";
import { kendallTau, shareOfOrders } from "../../scripts/statistics";
import { joined, type SweptGroup, type SweptRecord, sweptRecord } from "../../scripts/sweeps-record";

const group = (label: string, accuracies: readonly number[]): SweptGroup => ({
  labels: [label],
  epochs: 2,
  flops: 1e12,
  metrics: Object.fromEntries(["shape", "count", "distance"].map((task) => [`${task}.linearProbe`, accuracies])),
  curves: {},
});

const record = (sweep: string, groups: readonly SweptGroup[]): SweptRecord => ({
  sweep,
  grid: `experiments/sweeps/${sweep}.json`,
  engine: "ours",
  date: "2026-11-27",
  seeds: [0, 1],
  groups,
});

describe("sweeps that are recorded", () => {
  const point = (label: string, seed: number, stepsDone: number, value: number) => ({
    group: `masking-${label}`,
    labels: { masking: label },
    seed,
    stepsDone,
    steps: 8,
    epochs: 2,
    engine: "ours",
    metrics: { loss: { epoch: 2, value } },
    curves: {
      loss: [
        { epoch: 1, value: 2 * value },
        { epoch: 2, value },
      ],
    },
  });

  it("are those of which all seeds have finished", () => {
    const results = {
      sweep: { name: "masking", file: "experiments/sweeps/masking.json", seeds: [0, 1] },
      points: [point("block", 0, 8, 1), point("block", 1, 8, 3), point("random", 0, 8, 1), point("random", 1, 7, 3)],
    };
    expect(sweptRecord(results, { date: "2026-11-27", flopsOf: (name) => name.length }).groups).toEqual([
      {
        labels: ["block"],
        epochs: 2,
        flops: 13,
        metrics: { loss: [1, 3] },
        curves: {
          loss: [
            [1, 4],
            [2, 2],
          ],
        },
      },
    ]);
  });

  it("join what is there already", () => {
    const before = [record("a", []), record("b", [group("x", [0.1, 0.2]), group("y", [0.3, 0.4])])];
    expect(joined(before, record("b", [group("y", [0.5, 0.6]), group("z", [0.7, 0.8])]))).toEqual([
      record("a", []),
      record("b", [group("x", [0.1, 0.2]), group("y", [0.5, 0.6]), group("z", [0.7, 0.8])]),
    ]);
  });
});

describe("beside the paper", () => {
  it("has a row for each value that the paper has, and names what was not run", () => {
    const groups = [group("output", [0.5, 0.52]), group("input", [0.4, 0.42]), group("elsewhere", [0.1, 0.2])];
    const page = ablations([record("target-masking", groups)]);
    const lines = page.slice(page.indexOf("## Table 11")).split("\n");
    expect(lines.slice(2, 6)).toEqual([
      "|  | paper | shape, % | count, % | distance, % | mean of the three, % |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      "| at its output | 67.3 | 51.0 ± 1.4 | 51.0 ± 1.4 | 51.0 ± 1.4 | 51.0 ± 1.4 |",
      "| at its input | 56.1 | 41.0 ± 1.4 | 41.0 ± 1.4 | 41.0 ± 1.4 | 41.0 ± 1.4 |",
    ]);
    expect(page).toContain("\n| 11: where the target encoder is masked | 1 | 0 | 0 |  |\n");
    expect(page).toMatch(/^The pair stands in the order of the paper\. .*\n\n\[target-masking\.json\]/m);
    expect(lines.at(-1)).toMatch(/^Not trained so far: Table 6 \(masking\), .*Table 14 \(predictor\)\.$/);
  });

  it("has two tables of the grid of predictors, each a mean over the other axis", () => {
    const accuracies = { "depth1 dim48": 0.3, "depth1 dim96": 0.4, "depth2 dim48": 0.6, "depth2 dim96": 0.8 };
    const groups = Object.entries(accuracies).map(([labels, value]) => ({
      ...group("", [value, value + 0.02]),
      labels: labels.split(" "),
    }));
    const lines = ablations([record("predictor", groups)]).split("\n");
    const means = lines.flatMap((line) => (/^\| (1|2|half|the) .*\|$/.test(line) ? [line.split(" | ").slice(1)] : []));
    expect(means.map(([paper, , , , ours]) => [paper, ours])).toEqual([
      ["64.0", "36.0 ± 1.4 |"],
      ["66.9", "71.0 ± 1.4 |"],
      ["70.7", "46.0 ± 1.4 |"],
      ["68.4", "61.0 ± 1.4 |"],
    ]);
    expect(lines.filter((line) => line.startsWith("The pair "))).toEqual([
      expect.stringMatching(/^The pair stands in the order of the paper\./),
      expect.stringMatching(/^The pair stands the other way round\./),
    ]);
  });

  it("has no section of a table of which one row alone has finished", () => {
    expect(ablations([record("target-masking", [group("output", [0.5, 0.52])])])).toMatch(
      /^Not trained so far: .*Table 11/,
    );
  });

  const row = (paper: number, mean: number) => ({ name: "", paper, bySeed: [mean - 1, mean, mean + 1] });

  it.each([
    ["the same order", [row(1, 10), row(2, 20), row(3, 30)], "Of 3 pairs, 3 stand in the order of the paper, 0"],
    [
      "another",
      [row(1, 10), row(3, 9.9), row(2, 20)],
      "Of 3 pairs, 1 stand in the order of the paper, 1 the other way round, 1",
    ],
    ["a pair the other way round", [row(1, 20), row(3, 9)], "The pair stands the other way round."],
    ["a pair within noise", [row(1, 20), row(3, 20.1)], "The pair is within noise."],
    [
      "a trend that every seed has",
      [row(1, 10), row(2, 20), row(3, 30), row(4, 40)],
      "τ with the paper's figures is 1.00 ± 0.00 over seeds; that of the means is 1.00, and 8 % of all orders of 4 rows",
    ],
    [
      "a trend that seeds do not agree on",
      [row(1, 30), row(2, 20), { name: "", paper: 3, bySeed: [15, 20, 25] }],
      "is −0.67 ± 0.33 over seeds; that of the means is −0.67, and 33 % of all orders",
    ],
  ])("%s", (_, rows, want) => {
    expect(verdict(rows)).toContain(want);
  });

  it("tau counts pairs, and so many orders are as far from 0", () => {
    expect(kendallTau([1, 2, 3, 4], [1, 3, 2, 4])).toBeCloseTo(4 / 6);
    expect(kendallTau([1, 2], [5, 5])).toBe(0);
    const orders = (rest: readonly number[]): readonly (readonly number[])[] =>
      rest.length === 0
        ? [[]]
        : rest.flatMap((one) => orders(rest.filter((other) => other !== one)).map((order) => [one, ...order]));
    const given = [1, 2, 3, 4, 5];
    const taus = orders(given).map((order) => Math.abs(kendallTau(given, order)));
    for (const tau of [0, 0.2, 0.4, 0.8, 1]) {
      expect(shareOfOrders(5, tau)).toBeCloseTo(taus.filter((one) => one >= tau - 1e-9).length / 120);
    }
  });
});

describe("the picture of a table", () => {
  const [, , table] = paperTables;
  const rows = ["a < b", "c"].map((name, i) => ({ name, paper: 20 + i, bySeed: [38.1 + i, 39 + i, 38.4 + i] }));

  it("has a row for each, a dot of the paper's, and ours with every seed, all inside", () => {
    if (table === undefined) throw new Error("no table");
    const svg = ablationPicture(table, rows);
    expect(svg).toContain("a &lt; b");
    expect(svg.match(/<circle/g)).toHaveLength(2 + 2 * 4);
    const width = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
    for (const [, x] of svg.matchAll(/cx="([\d.]+)"/g)) expect(Number(x)).toBeLessThan(width);
    expect(svg).not.toContain("NaN");
    // Nothing that reads on one ground alone.
    expect(svg).not.toMatch(/fill="(black|white|#000|#fff)/);
  });

  it.each([
    [36.4, 41.9, [36, 38, 40, 42]],
    [9, 54.2, [0, 20, 40, 60]],
    [38, 38, [38, 38.2]],
  ])("counts from %d to %d by round numbers", (low, high, want) => {
    expect(ticksOf(low, high)).toEqual(want);
  });
});
