/** The page of ablations: sweeps that are recorded, and how their order compares with the paper's. */
import { describe, expect, it } from "vitest";
import { ablations, verdict } from "../../scripts/ablations-page";
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
    const lines = ablations([record("target-masking", groups)]).split("\n");
    expect(lines.slice(2, 6)).toEqual([
      "|  | paper | shape, % | count, % | distance, % | mean of the three, % |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      "| output | 67.3 | 51.0 ± 1.4 | 51.0 ± 1.4 | 51.0 ± 1.4 | 51.0 ± 1.4 |",
      "| input | 56.1 | 41.0 ± 1.4 | 41.0 ± 1.4 | 41.0 ± 1.4 | 41.0 ± 1.4 |",
    ]);
    expect(lines[7]).toMatch(/^The pair stands in the order of the paper\. \[target-masking\.json\]/);
    expect(lines.at(-1)).toMatch(/^Not trained so far: Table 6 \(masking\), .*Table 13 \(weight-decay\)\.$/);
  });

  const row = (paper: number, mean: number) => ({ paper, mean: { mean, deviation: 1, seeds: 4 } });

  it.each([
    ["the same order", [row(1, 10), row(2, 20), row(3, 30)], "Of 3 pairs, 3 stand in the order of the paper, 0"],
    [
      "another",
      [row(1, 10), row(3, 9.9), row(2, 20)],
      "Of 3 pairs, 1 stand in the order of the paper, 1 the other way",
    ],
    ["a pair the other way round", [row(1, 20), row(3, 9)], "The pair stands the other way round."],
    ["a pair within noise", [row(1, 20), row(3, 20.1)], "The pair is within noise."],
  ])("%s", (_, rows, want) => {
    expect(verdict(rows)).toContain(want);
  });
});
