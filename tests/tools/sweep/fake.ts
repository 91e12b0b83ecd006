/** Sweeps for tests that train nothing: points without a compiler, and runs that are a few lines in a log. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEvent } from "../../../runtime/report/jsonl";
import type { PointTask } from "../../../tools/sweep/executors/executor";
import { runFolder, type SweepFolders } from "../../../tools/sweep/folders";
import { recordOf, recordRun as writeRecord } from "../../../tools/sweep/record";
import type { Sweep, SweepPoint } from "../../../tools/sweep/sweep";
import { fakeSpec } from "./fake-spec";

export const generator = "g".repeat(64);
const time = "2026-11-21T12:00:00.000Z";

export function fakePoint(index: number, changes: Partial<SweepPoint> = {}): SweepPoint {
  const name = `fake-p${index}`;
  const hash = String(index).repeat(64).slice(0, 64);
  const spec = fakeSpec(name);
  return {
    index,
    name,
    group: name,
    labels: {},
    values: {},
    seed: 0,
    text: "{}",
    spec,
    hash,
    dataFolder: "/nowhere",
    ...changes,
  };
}

export function fakeSweep(points: number, changes: Partial<Sweep> = {}): Sweep {
  return {
    name: "fake",
    description: "",
    file: "fake.json",
    base: "base.json",
    axes: [],
    seeds: [0],
    metric: { name: "loss", goal: "min" },
    stop: null,
    points: Array.from({ length: points }, (_, index) => fakePoint(index)),
    ...changes,
  };
}

export function fakeFolders(): SweepFolders {
  const root = mkdtempSync(join(tmpdir(), "ijepa-sweep-"));
  return { out: join(root, "generated"), runs: join(root, "runs") };
}

export const start = (step = 0): LogEvent => ({
  event: "start",
  step,
  experiment: "fake",
  specHash: "",
  generatorVersion: "",
  engine: "a fake engine",
  node: "",
  time,
});

export const step = (number: number, loss: number, imagesPerSecond = 100): LogEvent => ({
  event: "step",
  step: number,
  epoch: Math.ceil(number / 5),
  loss,
  lr: 0.001,
  weightDecay: 0,
  momentum: 1,
  contextTokens: 4,
  targetTokens: 4,
  timeMs: 10,
  dataMs: 1,
  imagesPerSecond,
});

export const epoch = (number: number, loss: number): LogEvent => ({
  event: "epoch",
  step: 5 * number,
  epoch: number,
  loss,
});

export const end = (at: number, reason: string, why: { code?: string; message?: string } = {}): LogEvent => ({
  event: "end",
  step: at,
  reason,
  ...why,
  time,
});

/** A run of 10 steps in 2 epochs, as its trainer would have left it. */
export function writeRun(folder: string, events: readonly LogEvent[]): void {
  mkdirSync(folder, { recursive: true });
  const constants = { schedule: { steps: 10 }, optimizer: { epochs: 2, globalBatch: 16, stepsPerEpoch: 5 } };
  writeFileSync(join(folder, "experiment.json"), JSON.stringify(constants));
  writeFileSync(join(folder, "log.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

export function recordRun(sweep: Sweep, point: SweepPoint, folders: SweepFolders): string {
  const folder = runFolder(folders, sweep, point);
  writeRecord(folder, recordOf(sweep, point, generator));
  return folder;
}

/** A task that runs this JavaScript; `run` is its folder, `fs` node:fs, `log(event)` appends to its log. */
export function scriptTask(sweep: Sweep, point: SweepPoint, folders: SweepFolders, script: string): PointTask {
  const runDirectory = runFolder(folders, sweep, point);
  const prelude =
    `const fs = require("node:fs"); const run = ${JSON.stringify(runDirectory)};` +
    "const log = (event) => fs.appendFileSync(`${run}/log.jsonl`, `${JSON.stringify(event)}\\n`);";
  return { point, runDirectory, command: ["node", "-e", `${prelude}\n${script}`] };
}
