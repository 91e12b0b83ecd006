import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { EvaluationReport } from "../../runtime/evaluate/evaluation-report";
import { failures, type QuickstartResult, readRun } from "../../scripts/quickstart-run";

const folder = mkdtempSync(join(tmpdir(), "ijepa-quickstart-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A report in which counting by linear probe came out like this, row by row. */
function report(...counts: readonly number[]): EvaluationReport {
  const rows = ["target encoder", "random initialization", "raw pixels (16×16)"].slice(0, counts.length);
  return {
    trainImages: 8,
    validationImages: 4,
    testImages: 4,
    neighbours: 1,
    tasks: ["shape", "count"].map((name) => ({ name, classes: 4, chance: 0.25 })),
    rows: rows.map((representation, i) => ({
      representation,
      dimension: 2,
      // Shape is worst where counting is best, so that a look at the wrong task shows.
      tasks: [1 - (counts[i] ?? 0), counts[i] ?? 0].map((linearProbe) => ({ linearProbe, knn: 0.5, l2: 0.1 })),
      collapse: null,
    })),
  };
}

const result = (given: EvaluationReport): QuickstartResult => ({
  specHash: "",
  generatorVersion: "",
  engine: "",
  node: "",
  date: "",
  cores: 2,
  steps: 1,
  wallMs: 1,
  epochLosses: [],
  report: given,
});

test.each([
  ["above both", report(0.5, 0.4, 0.3), 0],
  ["below pixels", report(0.5, 0.4, 0.6), 1],
  ["below both", report(0.2, 0.4, 0.6), 2],
  ["as good as random is not learnt", report(0.4, 0.4, 0.3), 1],
  ["without baselines", report(0.4), 1],
  ["not a number", report(Number.NaN, 0.4, 0.3), 1],
] as const)("%s", (_, given, wanted) => {
  expect(failures(result(given))).toHaveLength(wanted);
});

const start = {
  event: "start",
  step: 0,
  specHash: "ab",
  engine: "onnx",
  node: "v20.9.0",
  time: "2026-01-01T00:00:00Z",
};
const evaluation = { event: "evaluation", step: 4, epoch: 1, report: report(0.5, 0.4, 0.3) };
const end = { event: "end", step: 4, reason: "complete", time: "2026-01-01T00:02:00Z" };

function runOf(...events: readonly object[]): string {
  writeFileSync(join(folder, "log.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return folder;
}

test("a complete run is read", () => {
  const epoch = { event: "epoch", step: 4, epoch: 1, loss: 0.25 };
  expect(readRun(runOf(start, epoch, evaluation, end))).toMatchObject({
    specHash: "ab",
    date: "2026-01-01",
    steps: 4,
    wallMs: 120_000,
    epochLosses: [0.25],
  });
});

test.each([
  ["stopped", [start, { ...end, reason: "SIGINT" }]],
  ["under way", [start, evaluation]],
  ["not evaluated", [start, end]],
])("a run that is %s is none", (_, events) => {
  expect(() => readRun(runOf(...events))).toThrow("not complete");
});
