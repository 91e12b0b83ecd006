import { describe, expect, it } from "vitest";
import type { EvaluationReport, ReportRow } from "../../../runtime/evaluate/evaluation-report";
import type { LogEvent } from "../../../runtime/report/jsonl";
import { isAccuracy, metricCurve, metricNames, reportMetrics } from "../../../runtime/report/metric";

const row = (representation: string, probe: number, collapse: ReportRow["collapse"]): ReportRow => ({
  representation,
  dimension: 4,
  tasks: [
    { linearProbe: probe, knn: probe / 2, l2: 0.1 },
    { linearProbe: probe + 0.1, knn: 0.125, l2: 0.1 },
  ],
  collapse,
});
const report = (probe: number): EvaluationReport => ({
  trainImages: 10,
  validationImages: 10,
  testImages: 10,
  neighbours: 20,
  tasks: [
    { name: "shape", classes: 4, chance: 0.25 },
    { name: "count", classes: 4, chance: 0.25 },
  ],
  rows: [
    row("raw pixels (16×16)", 0.9, null),
    row("target encoder", probe, { rankMe: 12.5, featureSpread: 0.4 }),
    row("random initialization", 0.1, { rankMe: 99, featureSpread: 9 }),
  ],
});
const events: readonly LogEvent[] = [
  { event: "epoch", step: 10, epoch: 1, loss: 0.5 },
  { event: "evaluation", step: 10, epoch: 1, report: report(0.25) },
  { event: "epoch", step: 20, epoch: 2, loss: 0.4 },
  { event: "epoch", step: 20, epoch: 2, loss: 0.375 },
  { event: "evaluation", step: 20, epoch: 2, report: report(0.5) },
];

describe("metrics of a run", () => {
  const curves: readonly [name: string, want: readonly (readonly [epoch: number, step: number, value: number])[]][] = [
    [
      "loss",
      [
        [1, 10, 0.5],
        [2, 20, 0.375],
      ],
    ],
    [
      "shape.linearProbe",
      [
        [1, 10, 0.25],
        [2, 20, 0.5],
      ],
    ],
    [
      "count.knn",
      [
        [1, 10, 0.125],
        [2, 20, 0.125],
      ],
    ],
    [
      "rankMe",
      [
        [1, 10, 12.5],
        [2, 20, 12.5],
      ],
    ],
    [
      "featureSpread",
      [
        [1, 10, 0.4],
        [2, 20, 0.4],
      ],
    ],
    ["colour.knn", []],
    ["shape.l2", []],
    ["", []],
  ];
  it.each(curves)("%s", (name, want) => {
    expect(metricCurve(events, name)).toEqual(want.map(([epoch, step, value]) => ({ epoch, step, value })));
  });

  it("are named, the loss first", () => {
    expect(metricNames([...events].reverse())).toEqual([
      "loss",
      "shape.linearProbe",
      "shape.knn",
      "count.linearProbe",
      "count.knn",
      "rankMe",
      "featureSpread",
    ]);
    expect(metricNames([])).toEqual([]);
  });

  it("are those of the encoder in training, and none where it was not evaluated", () => {
    expect(reportMetrics({ ...report(0.5), rows: [] }).size).toBe(0);
  });

  it.each([
    ["loss", false],
    ["rankMe", false],
    ["count.knn", true],
    ["a.b.linearProbe", true],
  ])("%s is an accuracy: %s", (name, want) => {
    expect(isAccuracy(name)).toBe(want);
  });
});
