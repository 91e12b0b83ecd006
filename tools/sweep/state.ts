/** What became of a point, from the files of its run folder alone: any machine that sees the folder comes to the same. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { isObject, type JsonValue } from "../../compiler/spec/json";
import { lockOwner } from "../../runtime/loop/lock";
import type { LogEvent } from "../../runtime/report/jsonl";
import { readLog } from "../../runtime/report/read-log";
import { readRecord } from "./record";
import type { PointStatus } from "./results/results";

export interface PointProgress {
  /** Optimizer steps done. */
  readonly step: number;
  /** Null where the trainer has not said so yet. */
  readonly steps: number | null;
  /** Under way, from 1; 0 before the first step. */
  readonly epoch: number;
  readonly epochs: number | null;
  readonly loss: number | null;
  readonly imagesPerSecond: number | null;
  /** Time to the last step at this pace; null where it is not known. */
  readonly leftMs: number | null;
}

export interface PointCondition extends PointStatus {
  /** Of the error by which a failed point ended. */
  readonly code: string | null;
  readonly progress: PointProgress;
  /** The trainer that writes the folder now. */
  readonly holder: { readonly pid: number; readonly host: string } | null;
}

export interface Expected {
  /** sha256 of the point's canonical spec, and of the generator. */
  readonly spec: string;
  readonly generator: string;
}

/** Files of a run that the trainer writes (runtime/loop/run-folder.ts). */
const files = { log: "log.jsonl", experiment: "experiment.json" } as const;

/** Enough for the last events of any log: a few kilobytes are one evaluation, a step is 300 bytes. */
const tailBytes = 96 * 1024;

/** Steps whose mean pace is shown. */
const paceSteps = 20;

export function stateOf(runFolder: string, expected: Expected): PointCondition {
  const events = readLog(tailOf(join(runFolder, files.log)));
  const holder = lockOwner(runFolder);
  const about = { code: null, progress: progressOf(events, runFolder), holder };
  if (events.length === 0 && holder === null) return { state: "waiting", message: null, ...about };

  const record = readRecord(runFolder);
  const stale = staleness(record, expected);
  if (stale !== null) return { state: "stale", message: stale, ...about };
  if (holder !== null) return { state: "running", message: `process ${holder.pid} on ${holder.host}`, ...about };

  const last = events.findLast((event) => event.event === "start" || event.event === "end");
  const end = last?.event === "end" ? last : null;
  if (end?.reason === "complete") return { state: "finished", message: null, ...about };
  if (end?.reason === "floor") return { state: "stopped", message: end.message ?? "a floor was missed", ...about };
  if (end?.reason === "failed") {
    return { state: "failed", message: end.message ?? "see its output", ...about, code: end.code ?? null };
  }
  const lost = record?.rungs.find(({ goesOn }) => !goesOn);
  if (lost !== undefined) {
    const message = `halving: rank ${lost.rank} of ${lost.of} at epoch ${lost.epoch}`;
    return { state: "stopped", message, ...about };
  }
  return { state: "interrupted", message: interruptedText(end?.reason ?? null), ...about };
}

/** Why a run is none of this point as it is now. */
function staleness(record: Expected | null, expected: Expected): string | null {
  if (record === null) return "the folder holds a run, but no point.json";
  if (record.spec !== expected.spec) return "the spec changed since";
  return record.generator === expected.generator ? null : "the generator changed since";
}

/** A run that ended at --steps: to a sweep, one that waits for the comparison with the others. */
export const pausedMessage = "stopped at the step that was asked for";

function interruptedText(reason: string | null): string {
  if (reason === null) return "ended without a word: killed, or its machine stopped";
  return reason === "steps" ? pausedMessage : `stopped by ${reason}`;
}

function progressOf(events: readonly LogEvent[], runFolder: string): PointProgress {
  const plan = planOf(runFolder);
  const begun = events.findLastIndex((event) => event.event === "start");
  const steps = events.filter((event) => event.event === "step");
  const last = steps.at(-1);
  // Steps of an earlier start may have been done on another machine, and the first one of a process warms up.
  const here = events.slice(begun + 1).filter((event) => event.event === "step");
  const recent = (here.length > 1 ? here.slice(1) : here).slice(-paceSteps);
  const imagesPerSecond =
    recent.length === 0 ? null : recent.reduce((sum, event) => sum + event.imagesPerSecond, 0) / recent.length;
  const step = events.reduce((most, event) => Math.max(most, event.step), 0);
  const left = plan.steps === null || plan.batch === null ? null : (plan.steps - step) * plan.batch;
  return {
    step,
    steps: plan.steps,
    epoch: last?.epoch ?? events.findLast((event) => event.event === "epoch")?.epoch ?? 0,
    epochs: plan.epochs,
    loss: last?.loss ?? null,
    imagesPerSecond,
    leftMs: left === null || imagesPerSecond === null ? null : (left / imagesPerSecond) * 1000,
  };
}

function planOf(runFolder: string): {
  readonly steps: number | null;
  readonly epochs: number | null;
  readonly batch: number | null;
} {
  const plan = jsonFile(join(runFolder, files.experiment));
  const number = (group: string, key: string): number | null => {
    const inner = isObject(plan) ? plan[group] : null;
    const value = isObject(inner) ? inner[key] : null;
    return typeof value === "number" ? value : null;
  };
  return {
    steps: number("schedule", "steps"),
    epochs: number("optimizer", "epochs"),
    batch: number("optimizer", "globalBatch"),
  };
}

function jsonFile(path: string): JsonValue {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** The last whole lines; empty where there is no file. */
function tailOf(path: string): string {
  if (!existsSync(path)) return "";
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    // What is torn at its beginning is no event, and left out by the reader.
    return bytes.toString("utf8", 0, read);
  } finally {
    closeSync(file);
  }
}
