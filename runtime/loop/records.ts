/**
 * What a run leaves behind and is judged by: its logs, checkpoints, evaluations and floors. Rank 0 has all of it. The other
 * ranks go through the same loop with records that take nothing and read nothing, have a share of every evaluation, and wait
 * where rank 0 is at work.
 */
import { join } from "node:path";
import type { TrainerFlags } from "../cli";
import type { BadImage } from "../data/bad-image";
import type { Engine, StateStore } from "../engines/engine";
import type { Features } from "../evaluate/features";
import type { TrainerProgram } from "../experiment";
import { featureSpreads } from "../loggers/feature-spreads";
import { noLoggers, openLoggers, type RunLoggers } from "../loggers/open";
import type { RunRanks } from "../ranks/run-ranks";
import type { BadImageEvent, LogEvent } from "../report/jsonl";
import { readLogFile } from "../report/read-log";
import { followCheckpoints, openCheckpoints, type RunCheckpoints, type StartingPoint, tablesOf } from "./checkpoints";
import type { RunEvaluation, TrainerEnvironment } from "./environment";
import { type Floors, openFloors } from "./floors";
import { isBest } from "./keeping";
import { openLogs, type RunLogs, runFiles } from "./run-folder";
import type { WholeState } from "./whole-state";

export interface RunRecords {
  /** What goes into log.jsonl goes to the loggers too. */
  readonly logs: RunLogs;
  readonly loggers: RunLoggers;
  readonly checkpoints: RunCheckpoints;
  /** Null where the experiment's data has no labels. All ranks take part; the first one gets the report. */
  readonly evaluation: RunEvaluation | null;
  readonly floors: Floors;
  /** Whether the checkpoint of the end of this epoch is the best up to now; asked where it may be, of rank 0 alone. */
  isBest(epoch: number): boolean;
  /** Whether the log has an evaluation after this step; all ranks ask, and get the answer of the first. */
  hasEvaluation(step: number): Promise<boolean>;
  /** Steps that the run has skipped up to now. */
  readonly skippedBefore: number;
  /** Names an image that cannot be used, in the log and to the person at the terminal. */
  badImage(image: BadImage, of: BadImageEvent["of"]): void;
}

export interface RecordsOptions {
  readonly program: TrainerProgram;
  readonly flags: TrainerFlags;
  readonly environment: Pick<TrainerEnvironment, "openEvaluation" | "variables">;
  readonly engine: Engine;
  readonly store: StateStore;
  readonly state: WholeState;
  readonly from: StartingPoint;
  readonly ranks: RunRanks;
  readonly note: (line: string) => void;
  readonly isStopping: () => boolean;
  /** How far the run is. */
  readonly stepsDone: () => number;
}

/** How long ranks may have to wait for one another in what is no step. */
const patience = { evaluationMs: 60 * 60_000, checkpointMs: 10 * 60_000 };

export function openRecords(options: RecordsOptions): Promise<RunRecords> {
  return options.ranks.rank === 0 ? writtenRecords(options) : followedRecords(options);
}

async function writtenRecords(options: RecordsOptions): Promise<RunRecords> {
  const { program, flags, state, from, ranks, note } = options;
  const { experiment } = program;
  const directory = flags.runDirectory;
  const events = (): readonly LogEvent[] => readLogFile(join(directory, runFiles.jsonl), { mostSteps: 1 });
  const floors = openFloors({ floors: flags.floors, experiment, events, note });
  const files = await openLogs(directory, experiment, from.stepsDone);
  const loggers = openLoggers({
    settings: flags.loggers,
    experiment,
    directory,
    log: join(directory, runFiles.jsonl),
    stepsDone: from.stepsDone,
    note,
    variables: options.environment.variables,
  });
  const logs: RunLogs = {
    csv: files.csv,
    jsonl: {
      append: (event) => {
        files.jsonl.append(event);
        loggers.event(event);
      },
    },
  };
  const badImage = badImageRecorder(options, logs);
  const checkpoints = openCheckpoints({ program, directory, state, from, tables: tablesOf(program) });
  return {
    logs,
    loggers,
    floors,
    skippedBefore: events().filter((event) => event.event === "notFinite" && event.skipped !== undefined).length,
    isBest: (epoch) => {
      const metric = experiment.log.keepBestMetric;
      return metric !== null && isBest(metric, epoch, events());
    },
    badImage,
    hasEvaluation: async (step) => {
      const isThere = events().some((event) => event.event === "evaluation" && event.step === step);
      await ranks.broadcast(Uint8Array.of(Number(isThere)));
      return isThere;
    },
    evaluation: await sharedEvaluation(options, badImage, loggers),
    checkpoints: {
      ...checkpoints,
      save: (at) => ranks.during("writing a checkpoint", patience.checkpointMs, () => checkpoints.save(at)),
      keep: (as) => ranks.during("keeping a checkpoint", patience.checkpointMs, () => checkpoints.keep(as)),
    },
  };
}

async function followedRecords(options: RecordsOptions): Promise<RunRecords> {
  const { program, flags, state, from, ranks } = options;
  const logs: RunLogs = { csv: { append: () => {} }, jsonl: { append: () => {} } };
  const badImage = badImageRecorder(options, logs);
  return {
    logs,
    loggers: noLoggers,
    badImage,
    checkpoints: followCheckpoints({ program, directory: flags.runDirectory, state, from }),
    evaluation: await sharedEvaluation(options, badImage, noLoggers),
    floors: { afterEpoch: () => {}, missed: () => null },
    isBest: () => false,
    skippedBefore: 0,
    hasEvaluation: async () => (await ranks.broadcast(new Uint8Array(1)))[0] === 1,
  };
}

/** Rank 0 fits the probes alone, so the others wait for it; while features are computed it may wait for them. */
async function sharedEvaluation(
  options: RecordsOptions,
  record: RunRecords["badImage"],
  loggers: RunLoggers,
): Promise<RunEvaluation | null> {
  const { program, flags, environment, engine, store, ranks, isStopping } = options;
  const { dataRoot } = flags;
  const badImage = (image: BadImage): void => record(image, "evaluation");
  const spreads = featureSpreads(loggers);
  const seen = spreads && ((features: Features): void => spreads(options.stepsDone(), features));
  const given = { program, engine, store, dataRoot, isStopping, ranks, badImage, seen };
  const evaluation = await environment.openEvaluation(given);
  const evaluating = <T>(work: () => Promise<T>): Promise<T> =>
    ranks.during("the evaluation", patience.evaluationMs, work);
  return (
    evaluation && {
      now: () => evaluating(() => evaluation.now()),
      final: (hears) => evaluating(() => evaluation.final(hears)),
    }
  );
}

const whatBecomes = { training: "another one takes its place", evaluation: "the evaluation leaves it out" } as const;

function badImageRecorder(
  { note, stepsDone }: Pick<RecordsOptions, "note" | "stepsDone">,
  { jsonl }: RunLogs,
): RunRecords["badImage"] {
  return (image, of) => {
    note(`${image.file} cannot be used: ${image.reason} (${image.why}); ${whatBecomes[of]}.`);
    jsonl.append({ event: "badImage", step: stepsDone(), of, ...image });
  };
}
