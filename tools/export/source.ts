/** What is exported: the newest whole checkpoint of a run, or a checkpoint by its own name. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import { type CheckpointMetadata, readCheckpointMetadata } from "../../runtime/checkpoint/checkpoint";
import { listCheckpoints } from "../../runtime/checkpoint/folder";
import { encoderTensorNames } from "../../runtime/checkpoint/layouts";
import { openSafetensors, type SafetensorsFile } from "../../runtime/checkpoint/safetensors";
import type { Experiment } from "../../runtime/experiment";
import { runFiles } from "../../runtime/loop/run-folder";
import { objectives } from "../../runtime/objectives";
import type { LogEvent } from "../../runtime/report/jsonl";
import { readLogFile } from "../../runtime/report/read-log";
import { experimentOf, nameOfRun } from "./experiment";

/** Which of the two encoders; the paper evaluates the target encoder. Where there is one encoder alone, it is that. */
export const encoderNames = { target: "target_encoder", context: "encoder" } as const;
export type EncoderChoice = keyof typeof encoderNames;

/** A tensor under a name of its own, read when it is its turn. */
export interface SourceTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly read: () => Promise<Float32Array>;
}

export interface ExportSource {
  /** The checkpoint. */
  readonly path: string;
  /** As the user named it. */
  readonly named: string;
  readonly experiment: Experiment;
  readonly metadata: CheckpointMetadata;
  readonly choice: EncoderChoice;
  /** The chosen encoder by official names without a prefix, position embeddings first (reference.md §3). */
  readonly encoder: readonly SourceTensor[];
  /** All networks: `encoder.…`, `predictor.…`, `target_encoder.…`, `opt.m.…`, `opt.v.…`. */
  readonly all: readonly SourceTensor[];
  /** Of the run's log up to this checkpoint; empty where the checkpoint lies elsewhere. */
  readonly events: readonly LogEvent[];
  close(): Promise<void>;
}

export type OpenedSource =
  | { readonly ok: true; readonly source: ExportSource }
  | { readonly ok: false; readonly file: string; readonly problem: Problem };

/** Throws R14x where the file is damaged, or is no checkpoint of a trainer. */
export async function openSource(named: string, asked: EncoderChoice): Promise<OpenedSource> {
  const found = await checkpointOf(named);
  if (typeof found !== "string") return { ok: false, file: named, problem: found };
  const metadata = await readCheckpointMetadata(found);
  const file = await openSafetensors(found);
  try {
    const read = experimentOf(file.header.metadata.get("experiment") ?? "");
    if ("lacks" in read) {
      return { ok: false, file: found, problem: errors.checkpointSaysTooLittle({ lacks: read.lacks }) };
    }
    const { experiment } = read;
    const choice = encoderOf(experiment, asked);
    const all = tensorsOf(file);
    const prefix = `${encoderNames[choice]}.`;
    const encoder = all
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
    const names = new Set(encoder.map(({ name }) => name));
    const missing = encoderTensorNames(experiment.encoder.depth).find((name) => !names.has(name));
    if (missing !== undefined) {
      const problem = errors.exportedEncoderMissing({ tensor: `${prefix}${missing}` });
      return { ok: false, file: found, problem };
    }
    const { step } = metadata.progress;
    const events = readLogFile(join(dirname(found), runFiles.jsonl)).filter((event) => event.step <= step);
    const source = {
      path: found,
      named,
      experiment,
      metadata,
      choice,
      encoder,
      all,
      events,
      close: () => file.close(),
    };
    return { ok: true, source };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export const hasOneEncoder = ({ objective }: Experiment): boolean => objectives[objective].judged.tree === "weights";

/** The encoder that is asked for, or the only one that there is. */
export const encoderOf = (experiment: Experiment, asked: EncoderChoice): EncoderChoice =>
  hasOneEncoder(experiment) ? "context" : asked;

/** For people: `target encoder`. */
export function encoderText({ objective }: Experiment, choice: EncoderChoice): string {
  const { judged } = objectives[objective];
  return judged.tree === "weights" ? judged.name : `${choice} encoder`;
}

async function checkpointOf(named: string): Promise<string | Problem> {
  if (statSync(named, { throwIfNoEntry: false })?.isDirectory() !== true) return named;
  const name = nameOfRun(named);
  if (name === null) return errors.notARun();
  const checkpoints = await listCheckpoints(named, name);
  const newest = checkpoints.find(({ metadata }) => metadata !== null);
  return newest?.path ?? errors.runWithoutCheckpoint({ damaged: checkpoints.length });
}

function tensorsOf(file: SafetensorsFile): readonly SourceTensor[] {
  return [...file.header.tensors].map(([name, { shape }]) => ({
    name,
    shape,
    read: () => file.readFloats(name, shape),
  }));
}
