/** One run of a trainer, from its flags to its last words. */

import { latestPath } from "../checkpoint/folder";
import type { TrainerFlags } from "../cli";
import { countsText } from "../data/bad-image";
import type { Engine } from "../engines/engine";
import { errorText } from "../error-text";
import type { TrainerProgram } from "../experiment";
import { picturingRunner } from "../loggers/mask-picture";
import { weightSpreads } from "../loggers/weight-spreads";
import { aloneRanks, type RunRanks } from "../ranks/run-ranks";
import { together } from "../ranks/together";
import { measureDataWait, waitSentence } from "../report/data-wait";
import type { LogEvent } from "../report/jsonl";
import { openProgress, type Progress } from "../report/progress";
import { memoryShortage, type Room, shortageText } from "../step/memory";
import { shardsOf } from "../step/shards";
import { type Position, type StartingPoint, startState } from "./checkpoints";
import { type CloseLater, closingAfter } from "./closing";
import { endOfRun } from "./end";
import type { TrainerEnvironment } from "./environment";
import { logFailure, logSignal } from "./failure";
import { observe } from "./observe";
import { openRecords } from "./records";
import { openRunFolder } from "./run-folder";
import { listenForStop, type StopRequests, stopForAll } from "./signals";
import { skippingRunner } from "./skipping";
import { stateSpecs } from "./state";
import { openStepRunner } from "./step-runner";
import { trainLoop } from "./train-loop";
import { wholeState } from "./whole-state";

/** Gives the exit code; throws UserError where the run cannot start or go on. `ranks` left out: this process alone. */
export async function run(
  program: TrainerProgram,
  flags: TrainerFlags,
  environment: TrainerEnvironment,
  ranks: RunRanks = aloneRanks(),
): Promise<number> {
  return closingAfter((later) => runAndClose({ program, flags, environment, ranks, later }));
}

async function runAndClose(
  given: Pick<RunParts, "program" | "flags" | "environment" | "ranks" | "later">,
): Promise<number> {
  const { flags, environment, ranks, later } = given;
  const { experiment } = given.program;
  const directory = flags.runDirectory;
  const progress = openProgress({ stream: environment.stdout, quiet: flags.quiet, bar: flags.progress });
  const lock = await together(ranks, "the start", () => openRunFolder(directory, ranks));
  later(lock.release);
  let reached: Position = { stepsDone: 0, epochLoss: Number.NaN };
  const stop = listenForStop({
    asked: (signal) => progress.note(`${signal}: stopping after this step. Once more ends at once.`),
    leaving: (signal) => {
      progress.stop();
      progress.note(`${signal}: ended at once.`);
      if (ranks.rank === 0) logSignal({ directory, experiment, signal, step: reached.stepsDone });
      lock.release();
    },
  });
  later(stop.dispose);
  const logTheFailure = (error: unknown): void => {
    if (ranks.rank === 0) logFailure({ directory, error, step: reached.stepsDone });
  };
  ranks.whenFault((error) => {
    progress.stop();
    // What rank 0 has found out it says itself.
    if (ranks.rank === 0 || error.code !== "R200") environment.stderr.write(`${errorText(error)}\n`);
    logTheFailure(error);
    lock.release();
  });
  try {
    return await trainAndEvaluate({
      ...given,
      progress,
      stop,
      reached: (position) => {
        reached = position;
      },
    });
  } catch (error) {
    logTheFailure(error);
    throw error;
  }
}

interface RunParts {
  readonly program: TrainerProgram;
  readonly flags: TrainerFlags;
  readonly environment: TrainerEnvironment;
  readonly ranks: RunRanks;
  readonly later: CloseLater;
  readonly progress: Progress;
  readonly stop: StopRequests;
  /** Told how far the run is. */
  readonly reached: (position: Position) => void;
}

async function trainAndEvaluate(parts: RunParts): Promise<number> {
  const { program, flags, environment, ranks, later, progress, stop } = parts;
  const { experiment } = program;
  const directory = flags.runDirectory;
  const threads = flags.threads === 0 ? ranks.cores : flags.threads;
  const { device, precision } = experiment.hardware;
  noteShortage(parts, { of: "machine", bytes: environment.machineBytes });
  const notes: string[] = [];
  const options = {
    threads,
    device,
    precision,
    reducer: ranks,
    devices: ranks.devices,
    localRank: ranks.localRank,
    reduceBucketBytes: experiment.hardware.reduceBucketMiB * 2 ** 20,
    note: (line: string) => notes.push(line),
    progress: progress.note,
    ...(flags.pjrtPlugin === null ? {} : { pjrtPlugin: flags.pjrtPlugin }),
  };
  const engine = await together(ranks, "the start of the engine", () => environment.createEngine(options));
  later(() => engine.release());
  const cardBytes = engine.deviceMemory?.()?.limit ?? null;
  if (cardBytes !== null) noteShortage(parts, { of: "device", bytes: cardBytes });
  const store = engine.createStore(stateSpecs(program.parameters, program.state, shardsOf(experiment)));
  const state = wholeState(program, store, ranks);
  const from = await together(ranks, "reading the checkpoint", () => startState({ program, flags, store, state }));
  await ranks.agree("step to go on from", String(from.stepsDone));
  for (const line of startLines(program, engine, directory)) progress.note(line);
  for (const line of from.notes) progress.note(line);
  if (from.checkpoint !== null) progress.note(`going on from ${from.checkpoint.path}, after step ${from.stepsDone}`);
  parts.reached(from);
  const isStopping = (): boolean => stop.requested() !== null;
  let reached: Position = from;
  const recorded = { program, flags, environment, engine, store, state, from, ranks, isStopping };
  const { logs, loggers, checkpoints, evaluation, floors, hasEvaluation, badImage, isBest, skippedBefore } =
    await together(ranks, "opening the logs", () =>
      openRecords({ ...recorded, note: progress.note, stepsDone: () => reached.stepsDone }),
    );
  later(loggers.close);
  logs.jsonl.append(startEvent(program, engine, from, flags));

  const { steps } = experiment.schedule;
  const stopAtStep = Math.max(from.stepsDone, Math.min(flags.stopAtStep ?? steps, steps));
  const stepRunner = await together(ranks, "preparing the step", () => openStepRunner(engine, program, store, ranks));
  const { picture } = loggers;
  const plainRunner = experiment.optimizer.skipNonFinite === 0 ? stepRunner : skippingRunner(stepRunner, store);
  const runner =
    picture === null
      ? plainRunner
      : picturingRunner(plainRunner, { experiment, objective: program.objective, take: picture });
  for (const note of notes) {
    progress.note(note);
    logs.jsonl.append({ event: "engine", step: from.stepsDone, note });
  }
  const images = await together(ranks, "opening the images", () =>
    environment.openImages({
      experiment,
      dataRoot: flags.dataRoot,
      workers: flags.workers,
      note: progress.note,
      badImage: (image) => badImage(image, "training"),
      fromStep: from.stepsDone,
      untilStep: stopAtStep,
      place: ranks,
      devices: ranks.devices,
      cores: ranks.cores,
    }),
  );
  later(() => images.close());

  const saveReached = async (): Promise<void> => {
    if (reached.stepsDone <= (checkpoints.last()?.step ?? 0)) return;
    const path = await checkpoints.save(reached);
    logs.jsonl.append({ event: "checkpoint", step: reached.stepsDone, path });
  };

  if (from.stepsDone < stopAtStep) {
    const { epochs } = experiment.optimizer;
    const cadence = { logEverySteps: flags.logEverySteps, lineEveryMs: flags.logEveryGiven ? 0 : 1000 };
    progress.begin({ steps, stepsDone: from.stepsDone, epochs, stopAtStep, ...cadence });
  }
  later(progress.stop);
  const imageNames = (step: number): readonly string[] => images.names?.(step) ?? [];
  let trainedMs = 0;
  const wait = measureDataWait();
  let imagesError: unknown = null;
  const observer = observe({
    experiment,
    logEverySteps: flags.logEverySteps,
    progress,
    ...logs,
    checkpoints,
    evaluation,
    floors,
    isBest,
    spreads: weightSpreads(program, store, loggers),
    imageNames,
    isLatest: from.checkpoint?.path === latestPath(directory, experiment.name),
    badImages: () => images.badImages?.() ?? {},
    reached: (report) => {
      trainedMs += report.wallMs;
      wait.add(report);
      reached = { stepsDone: report.step, epochLoss: report.epochLoss };
      parts.reached(reached);
      ranks.stepping(report.step + 1, report.wallMs);
    },
  });
  await observer.resumed(hasEvaluation, from.stepsDone);
  stop.waitForStep();
  try {
    const end = await trainLoop({
      optimizer: experiment.optimizer,
      steps,
      from,
      stopAtStep,
      stopRequested: () => stopForAll(ranks, stop.requested() ?? (floors.missed() === null ? null : "floor")),
      runner,
      nextImages: () =>
        images.next().catch((error: unknown) => {
          imagesError = error;
          throw error;
        }),
      lastCheckpoint: checkpoints.last,
      imageNames,
      skippedBefore,
      observer,
    });
    await saveReached();
    stop.stopsAtOnce();
    progress.stop();
    const bad = countsText(images.badImages?.() ?? {});
    if (bad !== "") progress.note(`Images that could not be used and were replaced: ${bad}.`);
    const waited = waitSentence({ share: wait.share(), workers: images.workers, cores: ranks.cores });
    if (waited !== null) progress.note(waited);
    return await endOfRun({
      isBest,
      checkpoints,
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
      dataShare: wait.share(),
    });
  } catch (error) {
    // Without its images a run stops between two steps, with good weights.
    if (error === imagesError) await saveReached();
    throw error;
  }
}

/** A warning where the step takes more memory than there is: what would follow is killed without a word. */
function noteShortage({ program: { experiment }, environment, ranks, progress }: RunParts, room: Room): void {
  const { stepMemory } = environment;
  if (stepMemory === null) return;
  const { accumulation, deviceBatch } = experiment.optimizer;
  const place = {
    device: experiment.hardware.device,
    images: accumulation * deviceBatch,
    accumulation,
    devicesHere: ranks.ranksHere * ranks.devices,
  };
  const shortage = memoryShortage(place, stepMemory, room);
  if (shortage === null) return;
  const { what, found, want } = shortageText(shortage);
  progress.note(`Warning: ${what}: ${found}. What would fit: ${want}. Change the spec and compile it anew.`);
}

function startLines(
  { experiment, objective, parameters }: TrainerProgram,
  engine: Engine,
  directory: string,
): readonly string[] {
  const { image, optimizer, schedule } = experiment;
  const weights = parameters.reduce((sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1), 0);
  return [
    `${experiment.name}: ${image.width}×${image.height} images in patches of ${image.patch}, ` +
      `${objective.networks(experiment)}, ` +
      `${(weights / 1e6).toFixed(2)} M weights`,
    `${schedule.steps} steps of ${optimizer.globalBatch} images: ${optimizer.epochs === 1 ? "1 epoch" : `${optimizer.epochs} epochs`} of ${optimizer.stepsPerEpoch} steps`,
    `${engine.description}; run folder ${directory}`,
    ...(experiment.editedCode === undefined
      ? []
      : [
          `this trainer was edited by hand (code ${experiment.editedCode.slice(0, 12)}); only the same code resumes it`,
        ]),
  ];
}

function startEvent(
  { experiment }: TrainerProgram,
  engine: Engine,
  from: StartingPoint,
  { initFrom }: TrainerFlags,
): LogEvent {
  return {
    event: "start",
    step: from.stepsDone,
    experiment: experiment.name,
    specHash: experiment.specHash,
    generatorVersion: experiment.generatorVersion,
    ...(experiment.editedCode === undefined ? {} : { editedCode: experiment.editedCode }),
    engine: engine.description,
    node: process.version,
    ...(from.checkpoint === null && initFrom !== null ? { initFrom } : {}),
    time: new Date().toISOString(),
  };
}
