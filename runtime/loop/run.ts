/** One run of a trainer, from its flags to its last words. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { PositionTables } from "../checkpoint/checkpoint";
import type { TrainerFlags } from "../cli";
import type { Engine } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import type { LogEvent } from "../report/jsonl";
import { openProgress, type Progress } from "../report/progress";
import { readLogFile } from "../report/read-log";
import { openCheckpoints, type Position, startState } from "./checkpoints";
import { type CloseLater, closingAfter } from "./closing";
import { endOfRun } from "./end";
import type { TrainerEnvironment } from "./environment";
import { logFailure } from "./failure";
import { openFloors } from "./floors";
import { constantsOf } from "./functions";
import { observe } from "./observe";
import { openLogs, openRunFolder, runFiles } from "./run-folder";
import { listenForStop, type StopRequests } from "./signals";
import { stateSpecs } from "./state";
import { openStepRunner } from "./step-runner";
import { trainLoop } from "./train-loop";

/** Gives the exit code; throws UserError where the run cannot start or go on. */
export async function run(
  program: TrainerProgram,
  flags: TrainerFlags,
  environment: TrainerEnvironment,
): Promise<number> {
  return closingAfter((later) => runAndClose(program, flags, environment, later));
}

async function runAndClose(
  program: TrainerProgram,
  flags: TrainerFlags,
  environment: TrainerEnvironment,
  later: CloseLater,
): Promise<number> {
  const directory = flags.runDirectory;
  const progress = openProgress({ stream: environment.stdout, quiet: flags.quiet, bar: flags.progress });
  const lock = await openRunFolder(directory);
  later(lock.release);
  const stop = listenForStop({
    asked: (signal) => progress.note(`${signal}: stopping after this step. Once more ends at once.`),
    leaving: (signal) => {
      progress.stop();
      progress.note(`${signal}: ended at once.`);
      lock.release();
    },
  });
  later(stop.dispose);
  let reached: Position = { stepsDone: 0, epochLoss: Number.NaN };
  try {
    return await trainAndEvaluate({
      program,
      flags,
      environment,
      later,
      progress,
      stop,
      reached: (position) => {
        reached = position;
      },
    });
  } catch (error) {
    logFailure({ directory, error, step: reached.stepsDone });
    throw error;
  }
}

interface RunParts {
  readonly program: TrainerProgram;
  readonly flags: TrainerFlags;
  readonly environment: TrainerEnvironment;
  readonly later: CloseLater;
  readonly progress: Progress;
  readonly stop: StopRequests;
  /** Told how far the run is. */
  readonly reached: (position: Position) => void;
}

async function trainAndEvaluate(parts: RunParts): Promise<number> {
  const { program, flags, environment, later, progress, stop } = parts;
  const { experiment } = program;
  const directory = flags.runDirectory;
  const threads = flags.threads === 0 ? availableParallelism() : flags.threads;
  const { device, precision } = experiment.hardware;
  const notes: string[] = [];
  const engine = await environment.createEngine({
    threads,
    device,
    precision,
    note: (line) => notes.push(line),
    progress: progress.note,
    ...(flags.pjrtPlugin === null ? {} : { pjrtPlugin: flags.pjrtPlugin }),
  });
  later(() => engine.release());
  const store = engine.createStore(stateSpecs(program.parameters, program.state));
  const from = await startState({ program, flags, store });
  for (const line of startLines(program, engine, directory)) progress.note(line);
  for (const line of from.notes) progress.note(line);
  if (from.checkpoint !== null) progress.note(`going on from ${from.checkpoint.path}, after step ${from.stepsDone}`);
  parts.reached(from);
  const events = (): readonly LogEvent[] => readLogFile(join(directory, runFiles.jsonl), { mostSteps: 1 });
  const floors = openFloors({ floors: flags.floors, experiment, events, note: progress.note });
  const logs = await openLogs(directory, experiment, from.stepsDone);
  logs.jsonl.append(startEvent(program, engine, from.stepsDone));

  const { steps } = experiment.schedule;
  const stopAtStep = Math.max(from.stepsDone, Math.min(flags.stopAtStep ?? steps, steps));
  const evaluation = await environment.openEvaluation({
    program,
    engine,
    store,
    dataRoot: flags.dataRoot,
    isStopping: () => stop.requested() !== null,
  });
  const runner = await openStepRunner(engine, program, store);
  for (const note of notes) {
    progress.note(note);
    logs.jsonl.append({ event: "engine", step: from.stepsDone, note });
  }
  const images = await environment.openImages({
    experiment,
    dataRoot: flags.dataRoot,
    workers: flags.workers,
    note: progress.note,
    fromStep: from.stepsDone,
    untilStep: stopAtStep,
  });
  later(() => images.close());

  const checkpoints = openCheckpoints({ program, directory, store, from, positions: positionTables(program) });
  let reached: Position = from;
  const saveReached = async (): Promise<void> => {
    if (reached.stepsDone <= (checkpoints.last()?.step ?? 0)) return;
    const path = await checkpoints.save(reached);
    logs.jsonl.append({ event: "checkpoint", step: reached.stepsDone, path });
  };

  if (from.stepsDone < stopAtStep) {
    const { epochs } = experiment.optimiser;
    const cadence = { logEverySteps: flags.logEverySteps, lineEveryMs: flags.logEveryGiven ? 0 : 1000 };
    progress.begin({ steps, stepsDone: from.stepsDone, epochs, stopAtStep, ...cadence });
  }
  later(progress.stop);
  let trainedMs = 0;
  let imagesError: unknown = null;
  const observer = observe({
    experiment,
    logEverySteps: flags.logEverySteps,
    progress,
    ...logs,
    checkpoints,
    evaluation,
    floors,
    reached: (report) => {
      trainedMs += report.wallMs;
      reached = { stepsDone: report.step, epochLoss: report.epochLoss };
      parts.reached(reached);
    },
  });
  await observer.resumed(events(), from.stepsDone);
  stop.waitForStep();
  try {
    const end = await trainLoop({
      optimiser: experiment.optimiser,
      steps,
      from,
      stopAtStep,
      stopRequested: () => stop.requested() ?? (floors.missed() === null ? null : "floor"),
      runner,
      nextImages: () =>
        images.next().catch((error: unknown) => {
          imagesError = error;
          throw error;
        }),
      lastCheckpoint: checkpoints.last,
      observer,
    });
    await saveReached();
    stop.stopsAtOnce();
    progress.stop();
    return await endOfRun({
      program,
      flags,
      environment,
      evaluation,
      jsonl: logs.jsonl,
      note: progress.note,
      end,
      missedFloor: floors.missed(),
      lastCheckpoint: checkpoints.last(),
      stepsHere: end.stepsDone - from.stepsDone,
      trainedMs,
    });
  } catch (error) {
    // Without its images a run stops between two steps, with good weights.
    if (error === imagesError) await saveReached();
    throw error;
  }
}

function positionTables({ experiment }: TrainerProgram): PositionTables {
  const { positions, predictorPositions } = constantsOf(experiment);
  return { encoder: positions, predictor: predictorPositions };
}

function startLines({ experiment, parameters }: TrainerProgram, engine: Engine, directory: string): readonly string[] {
  const { encoder, predictor, image, optimiser, schedule } = experiment;
  const weights = parameters.reduce((sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1), 0);
  return [
    `${experiment.name}: ${image.width}×${image.height} images in patches of ${image.patch}, ` +
      `encoder ${encoder.depth}×${encoder.dim}, predictor ${predictor.depth}×${predictor.dim}, ` +
      `${(weights / 1e6).toFixed(2)} M weights`,
    `${schedule.steps} steps of ${optimiser.globalBatch} images: ${optimiser.epochs} epochs of ${optimiser.stepsPerEpoch} steps`,
    `${engine.description}; run folder ${directory}`,
  ];
}

function startEvent({ experiment }: TrainerProgram, engine: Engine, stepsDone: number): LogEvent {
  return {
    event: "start",
    step: stepsDone,
    experiment: experiment.name,
    specHash: experiment.specHash,
    generatorVersion: experiment.generatorVersion,
    engine: engine.description,
    node: process.version,
    time: new Date().toISOString(),
  };
}
