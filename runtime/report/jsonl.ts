/** The JSON lines log: one event per line, each with the number of optimizer steps done when it was written. */
import { appendFileSync, existsSync } from "node:fs";
import type { BadImageCounts, BadImageReason } from "../data/bad-image";
import type { EvaluationReport } from "../evaluate/evaluation-report";
import { endsInLine, fileLines, writeLines } from "./lines";

export interface StepEvent {
  readonly event: "step";
  /** Optimizer steps done, this one included. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  /** What of it a regularizer adds, where there is one. */
  readonly regularizer?: number;
  readonly lr: number;
  readonly weightDecay: number;
  /** Of the target encoder, where there is one. */
  readonly momentum?: number;
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Norm of the gradient over all weights, before clipping; earlier versions logged it only where they clipped. */
  readonly gradientNorm?: number;
  readonly timeMs: number;
  /** Wait for images before the step. */
  readonly dataMs: number;
  readonly imagesPerSecond: number;
}

export interface StartEvent {
  readonly event: "start";
  readonly step: number;
  readonly experiment: string;
  readonly specHash: string;
  readonly generatorVersion: string;
  /** Of a trainer that was edited by hand: sha256 of its code. */
  readonly editedCode?: string;
  readonly engine: string;
  readonly node: string;
  /** The file that `--init-from` named. */
  readonly initFrom?: string;
  readonly time: string;
}

/** How the engine runs the step, e.g. how much of it a GPU computes. */
export interface EngineEvent {
  readonly event: "engine";
  readonly step: number;
  readonly note: string;
}

export interface EpochEvent {
  readonly event: "epoch";
  readonly step: number;
  readonly epoch: number;
  /** Mean over the steps of the epoch. */
  readonly loss: number;
  /** Images that this process could not use up to now, by reason; absent where there are none. */
  readonly badImages?: BadImageCounts;
  /** Share of the time of its steps in which the engine waited for images. */
  readonly dataShare?: number;
}

/** An image that cannot be used: named once by a process. */
export interface BadImageEvent {
  readonly event: "badImage";
  readonly step: number;
  /** What it was for: training replaces it, an evaluation leaves it out. */
  readonly of: "training" | "evaluation";
  readonly file: string;
  readonly reason: BadImageReason;
  readonly why: string;
}

/** A step whose loss or gradient is not finite: it was skipped, or the run ends here. */
export interface NotFiniteEvent {
  readonly event: "notFinite";
  /** The step itself, from 1. */
  readonly step: number;
  readonly what: string;
  /** "NaN", "Infinity" or "-Infinity", which JSON has no numbers for. */
  readonly value: string;
  readonly lr: number;
  /** How many steps were skipped up to now, this one included; absent where the run ends. */
  readonly skipped?: number;
  /** Of the batch, as far as this process has it. */
  readonly images: readonly string[];
}

export interface EvaluationEvent {
  readonly event: "evaluation";
  readonly step: number;
  readonly epoch: number;
  /** The trained target encoder, and at the end its random initialization and raw pixels. */
  readonly report: EvaluationReport;
}

/** What `ijepa evaluate` found of a checkpoint of this run; trainers write none. */
export interface ProbesEvent {
  readonly event: "probes";
  /** Of the checkpoint. */
  readonly step: number;
  readonly time: string;
  /** ProbeResults of tools/evaluate/result.ts. */
  readonly results: object;
}

export interface CheckpointEvent {
  readonly event: "checkpoint";
  readonly step: number;
  readonly path: string;
}

export interface EndEvent {
  readonly event: "end";
  readonly step: number;
  /** `complete`, `steps` (--steps), `floor` (--floor), `SIGINT`, `SIGTERM`, `SIGHUP` or `failed`. */
  readonly reason: string;
  /** Of `failed`: the code of the error, unless the fault is ours. */
  readonly code?: string;
  /** Of `failed` and `floor`: why. */
  readonly message?: string;
  /** Share of the time of this process's steps in which the engine waited for images; absent where it did none. */
  readonly dataShare?: number;
  readonly time: string;
}

export type LogEvent =
  | StepEvent
  | StartEvent
  | EngineEvent
  | EpochEvent
  | BadImageEvent
  | NotFiniteEvent
  | EvaluationEvent
  | ProbesEvent
  | CheckpointEvent
  | EndEvent;

export interface JsonlLog {
  append(event: LogEvent): void;
}

/** Opens the log for a run that goes on after `stepsDone` steps: events of later steps, and torn lines, are cut off. */
export async function openJsonl(path: string, at: { readonly stepsDone: number }): Promise<JsonlLog> {
  const isKept = (line: string): boolean => {
    const step = stepOf(line);
    return step !== null && step <= at.stepsDone;
  };
  const goesOn = at.stepsDone > 0 && existsSync(path);
  await writeLines(path, goesOn ? filtered(fileLines(path), isKept) : []);
  return { append: (event) => appendFileSync(path, `${JSON.stringify(event)}\n`) };
}

function* filtered(lines: Iterable<string>, isKept: (line: string) => boolean): Generator<string, void, void> {
  for (const line of lines) if (isKept(line)) yield line;
}

/** Appends to a log that is not open, and may end in a torn line. */
export function appendEvent(path: string, event: LogEvent): void {
  const isTorn = existsSync(path) && endsInLine(path);
  appendFileSync(path, `${isTorn ? "\n" : ""}${JSON.stringify(event)}\n`);
}

/** The step of a line, or null where it is no whole event. */
function stepOf(line: string): number | null {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== "object" || event === null || !("step" in event)) return null;
    return typeof event.step === "number" ? event.step : null;
  } catch {
    return null;
  }
}
