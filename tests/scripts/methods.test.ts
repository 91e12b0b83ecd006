/** The page of methods: one row each, and when each has what all come to. */
import { expect, it } from "vitest";
import { asCostly, costTable, methodsTable } from "../../scripts/methods-page";
import type { SweptGroup, SweptRecord } from "../../scripts/sweeps-record";

/** Accuracies after each epoch, the same for all tasks and seeds; they differ by 2 between seeds at the end. */
const group = (label: string, flops: number, curve: readonly number[]): SweptGroup => {
  const last = curve.at(-1) ?? 0;
  const tasks = ["shape", "count", "distance"];
  return {
    labels: [label],
    epochs: curve.length,
    flops,
    metrics: {
      ...Object.fromEntries(tasks.map((task) => [`${task}.linearProbe`, [last - 0.01, last + 0.01]])),
      ...Object.fromEntries(tasks.map((task) => [`${task}.knn`, [0.25, 0.25]])),
      rankMe: [10, 12],
    },
    curves: Object.fromEntries(tasks.map((task) => [`${task}.linearProbe`, curve.map((value, i) => [i + 1, value])])),
  };
};

const record: SweptRecord = {
  sweep: "methods",
  grid: "experiments/sweeps/methods.json",
  engine: "ours",
  date: "2026-11-27",
  seeds: [0, 1],
  groups: [group("ijepa", 6e12, [0.3, 0.45, 0.5]), group("mae", 3e12, [0.2, 0.3, 0.4])],
};

it("has a row for each method", () => {
  expect(methodsTable(record).split("\n").slice(2, 4)).toEqual([
    "| `ijepa` | 3 | 6.0 | 50.0 ± 1.4 | 50.0 ± 1.4 | 50.0 ± 1.4 | 50.0 ± 1.4 | 25.0 ± 0.0 | 11.0 ± 1.4 |",
    "| `mae` | 3 | 3.0 | 40.0 ± 1.4 | 40.0 ± 1.4 | 40.0 ± 1.4 | 40.0 ± 1.4 | 25.0 ± 0.0 | 11.0 ± 1.4 |",
  ]);
});

it("says when each method has what the middle one comes to, if it does", () => {
  const groups = [...record.groups, group("data2vec", 9e12, [0.1, 0.1, 0.1])];
  expect(costTable({ ...record, groups }).split("\n")).toEqual([
    "|  | epochs to 40.0 % | TFLOP |",
    "| --- | ---: | ---: |",
    "| `ijepa` | 2 | 4.0 |",
    "| `mae` | 3 | 3.0 |",
    "| `data2vec` | – | – |",
  ]);
});

it("counts trainings as equal in compute within five hundredths of the first", () => {
  const groups = [group("ijepa", 6e12, [0.3]), group("ijepa-vicreg", 6.2e12, [0.3]), group("mae", 3e12, [0.3])];
  expect(asCostly(groups)).toEqual(groups.slice(0, 2));
});
