/** What a run folder tells: its experiment, its log, its state and its cost. Nothing is written, and the run may be under way. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, normalize } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import type { EvaluationReport } from "../../runtime/evaluate/evaluation-report";
import { hasCode } from "../../runtime/exceptions";
import type { Experiment } from "../../runtime/experiment";
import { lockOwner } from "../../runtime/loop/lock";
import { runFiles } from "../../runtime/loop/run-folder";
import type { LogEvent, StepEvent } from "../../runtime/report/jsonl";
import { fileLines } from "../../runtime/report/lines";
import { experimentOf } from "../export/experiment";
import { csvSteps, type LoggedStep } from "./csv-steps";
import { LogEvents } from "./log-events";

export type RunState = "running" | "finished" | "stopped" | "failed" | "interrupted";

export interface RunRecord {
  /** As the user named it. */
  readonly folder: string;
  /** The name of its experiment; with the folder where several runs of a report have one name. */
  readonly label: string;
  readonly experiment: Experiment;
  readonly events: readonly LogEvent[];
  readonly steps: readonly LoggedStep[];
  /** Lines of log.jsonl that are no events, and all lines. */
  readonly torn: { readonly lines: number; readonly of: number };
  readonly state: RunState;
  /** Of a run that failed or was stopped: why. */
  readonly message: string | null;
  readonly cost: RunCost;
  /** The newest evaluation. */
  readonly evaluation: { readonly step: number; readonly epoch: number; readonly report: EvaluationReport } | null;
}

export interface RunCost {
  readonly stepsDone: number;
  readonly steps: number;
  readonly images: number;
  /** Time of its steps, waiting for images included; null where no step was timed. */
  readonly trainingMs: number | null;
  /** From each start to its end, where the log has both. */
  readonly wallMs: number | null;
  readonly starts: number;
  readonly engine: string | null;
  readonly node: string | null;
  /** What the engine said of itself, such as the share of a GPU. */
  readonly notes: readonly string[];
}

export type ReadRun =
  | { readonly ok: true; readonly run: RunRecord }
  | { readonly ok: false; readonly problem: Problem };

/** The constants of a run; E470 where the folder is none. */
export function readExperiment(folder: string): { readonly experiment: Experiment } | { readonly problem: Problem } {
  const constants = textOf(join(folder, runFiles.experiment));
  if (constants === null) return { problem: errors.notARunToReport({ lacks: null }) };
  const read = experimentOf(constants);
  return "lacks" in read ? { problem: errors.notARunToReport({ lacks: read.lacks }) } : { experiment: read.experiment };
}

/** E470 where the folder is no run, E471 where it logged nothing. */
export function readRun(folder: string): ReadRun {
  const read = readExperiment(folder);
  if ("problem" in read) return { ok: false, problem: read.problem };
  const log = new LogEvents();
  for (const line of linesOf(join(folder, runFiles.jsonl))) log.take(line);
  return runOf({ folder, experiment: read.experiment, log });
}

export interface RunParts {
  readonly folder: string;
  readonly experiment: Experiment;
  /** As far as it was read. */
  readonly log: LogEvents;
}

/** E471 where it logged nothing. */
export function runOf({ folder, experiment, log }: RunParts): ReadRun {
  const { events, torn } = log;
  const steps = latest(events.filter((event) => event.event === "step"));
  const logged = steps.length > 0 ? steps : csvSteps(linesOf(join(folder, runFiles.csv)), experiment);
  if (events.length === 0 && logged.length === 0) return { ok: false, problem: errors.nothingLogged() };
  const evaluated = events.findLast((event) => event.event === "evaluation");
  return {
    ok: true,
    run: {
      folder,
      label: experiment.name,
      experiment,
      events,
      steps: logged,
      torn,
      ...stateOf(folder, events),
      cost: costOf(experiment, events, logged),
      evaluation: evaluated ?? null,
    },
  };
}

/** Run folders below a folder, the folder itself included, by name. Sweeps keep theirs two levels down. */
export function findRuns(folder: string, depth = 3): readonly string[] {
  if (existsSync(join(folder, runFiles.experiment))) return [folder];
  if (depth === 0) return [];
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
      .flatMap((name) => findRuns(join(folder, name), depth - 1));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  }
}

/** Runs of one name get their folder as well. */
export function labelled(runs: readonly RunRecord[]): readonly RunRecord[] {
  return runs.map((run) => {
    const twins = runs.filter(({ label }) => label === run.label).length;
    const folder = basename(normalize(run.folder));
    const own = runs.filter((other) => basename(normalize(other.folder)) === folder).length === 1;
    if (twins === 1 || (own && folder === run.label)) return run;
    return { ...run, label: `${run.label} (${own ? folder : run.folder})` };
  });
}

function* linesOf(path: string): Generator<string> {
  try {
    yield* fileLines(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOTDIR")) throw error;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

/** A run that went on from a checkpoint may have a step twice: the later line counts. */
function latest(steps: readonly StepEvent[]): readonly StepEvent[] {
  const byStep = new Map(steps.map((event) => [event.step, event]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

function stateOf(folder: string, events: readonly LogEvent[]): Pick<RunRecord, "state" | "message"> {
  if (lockOwner(folder) !== null) return { state: "running", message: null };
  const last = events.findLast((event) => event.event === "start" || event.event === "end");
  if (last?.event !== "end") return { state: "interrupted", message: "ended without a word, or its machine stopped" };
  if (last.reason === "complete") return { state: "finished", message: null };
  if (last.reason === "failed") return { state: "failed", message: last.message ?? last.code ?? null };
  return { state: "stopped", message: last.message ?? `by ${last.reason}` };
}

function costOf(experiment: Experiment, events: readonly LogEvent[], steps: readonly LoggedStep[]): RunCost {
  const stepsDone = Math.max(
    0,
    ...events.slice(-1).map(({ step }) => step),
    ...steps.slice(-1).map(({ step }) => step),
  );
  const timed = steps.reduce((sum, { timeMs, dataMs = 0 }) => sum + timeMs + dataMs, 0);
  const starts = events.filter((event) => event.event === "start");
  const start = starts.at(-1);
  return {
    stepsDone,
    steps: experiment.schedule?.steps ?? stepsDone,
    images: stepsDone * experiment.optimizer.globalBatch,
    // Not every step is logged; those that are stand for the others.
    trainingMs: steps.length === 0 ? null : (timed / steps.length) * stepsDone,
    wallMs: wallOf(events),
    starts: starts.length,
    engine: start?.engine ?? null,
    node: typeof start?.node === "string" ? start.node : null,
    notes: [...new Set(events.flatMap((event) => (event.event === "engine" ? [event.note] : [])))],
  };
}

function wallOf(events: readonly LogEvent[]): number | null {
  let begun: number | null = null;
  let total: number | null = null;
  for (const event of events) {
    if (event.event === "start") begun = Date.parse(event.time);
    if (event.event !== "end" || begun === null) continue;
    const span = Date.parse(event.time) - begun;
    if (span >= 0) total = (total ?? 0) + span;
    begun = null;
  }
  return total;
}
