/** Run folders with a log that is made up, of the experiment of the quickstart. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { experiment } from "../../../generated/quickstart/experiment";
import type { EvaluationReport } from "../../../runtime/evaluate/evaluation-report";
import type { Experiment } from "../../../runtime/experiment";
import { type RunRecord, readRun } from "../../../tools/report/runs";

export const runsFolder = (): string => mkdtempSync(join(tmpdir(), "ijepa-report-"));

export const evaluation = (accuracy: number): EvaluationReport => ({
  trainImages: 100,
  validationImages: 50,
  testImages: 50,
  neighbours: 20,
  tasks: [{ name: "count", classes: 4, chance: 0.25 }],
  rows: [
    {
      representation: "target encoder",
      dimension: 96,
      tasks: [{ linearProbe: accuracy, knn: accuracy - 0.1, l2: 1 }],
      collapse: { rankMe: 17.25, featureSpread: 0.4 },
    },
    {
      representation: "raw pixels (16×16)",
      dimension: 768,
      tasks: [{ linearProbe: 0.3, knn: 0.2, l2: 1 }],
      collapse: null,
    },
  ],
});

export interface MadeRun {
  readonly change?: Partial<Experiment>;
  readonly steps?: number;
  readonly accuracies?: readonly number[];
  readonly clips?: boolean;
  /** How it ended; null: it did not say. */
  readonly end?: { readonly reason: string; readonly message?: string } | null;
  /** Lines after all others. */
  readonly tail?: string;
}

/** `folder/name` as a trainer leaves it. */
export function makeRun(folder: string, name: string, made: MadeRun = {}): string {
  const {
    change = {},
    steps = 20,
    accuracies = [0.4, 0.5],
    clips = false,
    end = { reason: "complete" },
    tail = "",
  } = made;
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "experiment.json"), JSON.stringify({ ...experiment, ...change }));
  const step = Array.from({ length: steps }, (_, i) => ({
    event: "step",
    step: i + 1,
    epoch: 1,
    loss: 0.5 / (i + 1),
    lr: 1e-4 * (i + 1),
    weightDecay: 0.2,
    momentum: 0.97,
    contextTokens: 20,
    targetTokens: 12,
    ...(clips ? { gradientNorm: 1 + i } : {}),
    timeMs: 80,
    dataMs: 20,
    imagesPerSecond: 160,
  }));
  const events = [
    {
      event: "start",
      step: 0,
      experiment: "quickstart",
      specHash: "0",
      generatorVersion: "0.1.0",
      engine: "onnx cpu",
      node: "v20.9.0",
      time: "2026-01-01T00:00:00.000Z",
    },
    ...step,
    ...accuracies.map((accuracy, i) => ({
      event: "evaluation",
      step: steps - accuracies.length + 1 + i,
      epoch: 1 + i,
      report: evaluation(accuracy),
    })),
    ...(end === null ? [] : [{ event: "end", step: steps, ...end, time: "2026-01-01T00:01:00.000Z" }]),
  ];
  writeFileSync(join(at, "log.jsonl"), `${events.map((event) => JSON.stringify(event)).join("\n")}\n${tail}`);
  return at;
}

export function read(path: string): RunRecord {
  const found = readRun(path);
  if (!found.ok) throw new Error(found.problem.what);
  return found.run;
}
