/**
 * Reproduces one step of a run on the run's own engine, and records it as a trace that `ijepa replay` goes through: from the
 * newest whole checkpoint before it, or from the drawn weights, through the steps between.
 */
import { join } from "node:path";
import { loadCheckpoint } from "../checkpoint/checkpoint";
import { listCheckpoints } from "../checkpoint/folder";
import { imagesInTurn, openTrainingData } from "../data/training";
import type { StateStore } from "../engines/engine";
import { openEngine, restartFor } from "../engines/open";
import { errorText } from "../error-text";
import { stepBeforeNotFinite, stepNotReached, UserError } from "../errors";
import { runFiles } from "../loop/run-folder";
import { skippingRunner } from "../loop/skipping";
import { averages, stateSpecs, writeInitialState, writeZeroGradients } from "../loop/state";
import { openStepRunner } from "../loop/step-runner";
import type { StepRunner } from "../loop/train-loop";
import type { LogEvent } from "../report/jsonl";
import { readLogFile } from "../report/read-log";
import type { ReplayProgram } from "./follow";
import { observeStep } from "./observed-step";
import type { RecordedHow, RecordRequest } from "./recording";
import { writeStepTrace } from "./step-trace";

export function recordStep(program: ReplayProgram): void {
  // The command passes what it made of its own arguments; nobody else starts a recording.
  const request = JSON.parse(process.argv[2] ?? "null") as RecordRequest;
  record(program, request).catch((error: unknown) => {
    process.exitCode = 2;
    process.stderr.write(`${errorText(error)}\n`);
  });
}

async function record(program: ReplayProgram, request: RecordRequest): Promise<void> {
  const { experiment, parameters } = program;
  const { engine: engineName, device, precision } = experiment.hardware;
  await restartFor(engineName, device);
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const engine = await openEngine(engineName, { threads: request.threads, device, precision, note });
  try {
    const store = engine.createStore(stateSpecs(parameters, program.state));
    const events = readLogFile(join(request.run, runFiles.jsonl));
    const start = await startBefore(program, request, store, events);
    const { step } = request;
    note(`${start.checkpoint ?? "the weights as they were drawn"}: ${step - start.stepsDone} steps to go through`);
    const data = await openTrainingData({ experiment, root: request.dataRoot, workers: 0, warn: note });
    const nextImages = imagesInTurn(data, { fromStep: start.stepsDone, toStep: step });
    const runner = await openStepRunner(engine, program, store);
    const logged = await goThrough({ program, request, store, runner, nextImages, events, from: start.stepsDone });
    const observed = await observeStep({
      program,
      engine,
      store,
      runner,
      nextImages,
      step: step - 1,
      relativeNoise: request.comparedInBfloat16 || precision === "bf16" ? 2 ** -9 : 2 ** -23,
    });
    await data.close();
    const met = withLoss(logged, events, step, observed.loss);
    const how: RecordedHow = {
      ...{ run: request.run, step, checkpoint: start.checkpoint, fromStep: start.stepsDone },
      ...{ engine: engine.description, loss: observed.loss, logged: met },
    };
    await writeStepTrace({ program, request, observed, how });
  } finally {
    await engine.release();
  }
}

interface Start {
  readonly checkpoint: string | null;
  readonly stepsDone: number;
}

/** Fills the store with the newest state that is kept from before the step. Throws R163. */
async function startBefore(
  program: ReplayProgram,
  { run, step }: RecordRequest,
  store: StateStore,
  events: readonly LogEvent[],
): Promise<Start> {
  const { experiment, parameters } = program;
  const found = await listCheckpoints(run, experiment.name);
  const kept = found.flatMap(({ path, metadata }) =>
    metadata === null ? [] : [{ path, stepsDone: metadata.progress.step }],
  );
  const isOfOthers = events.some((event) => event.event === "start" && event.initFrom !== undefined);
  const { steps } = experiment.schedule;
  const refuse = (damaged: readonly string[] = []): UserError => {
    const from = [...(isOfOthers ? [] : [0]), ...kept.map(({ stepsDone }) => stepsDone)];
    return stepNotReached({ run, step, steps, first: from.length === 0 ? null : Math.min(...from) + 1, damaged });
  };
  if (step > steps) throw refuse();
  const damaged: string[] = [];
  for (const { path, stepsDone } of kept.filter((one) => one.stepsDone < step)) {
    try {
      await loadCheckpoint({
        ...{ path, experiment, parameters, averages: averages(program) },
        write: (at, values) => store.write(at, values),
      });
      await writeZeroGradients(store);
      return { checkpoint: path, stepsDone };
    } catch (error) {
      if (!(error instanceof UserError) || (error.code !== "R140" && error.code !== "R141")) throw error;
      damaged.push(path);
    }
  }
  if (isOfOthers) throw refuse(damaged);
  await writeInitialState(store, parameters, experiment.seed);
  return { checkpoint: null, stepsDone: 0 };
}

type Logged = RecordedHow["logged"];

/** The steps before the wanted one, as the run took them. Throws R164 where one of them is the one that went wrong. */
async function goThrough(what: {
  readonly program: ReplayProgram;
  readonly request: RecordRequest;
  readonly store: StateStore;
  readonly runner: StepRunner;
  readonly nextImages: () => Promise<Uint8Array>;
  readonly events: readonly LogEvent[];
  readonly from: number;
}): Promise<Logged> {
  const { program, request, store, nextImages, events, from } = what;
  const skips = program.experiment.optimizer.skipNonFinite > 0;
  const runner = skips ? skippingRunner(what.runner, store) : what.runner;
  let logged: Logged = { losses: 0, largestDifference: 0 };
  for (let step = from; step < request.step - 1; step++) {
    const { loss, takenBack } = await runner.run(runner.prepare(step), nextImages);
    if (takenBack !== undefined) continue;
    if (!Number.isFinite(loss)) throw stepBeforeNotFinite({ step: request.step, wrong: step + 1, loss });
    logged = withLoss(logged, events, step + 1, loss);
  }
  return logged;
}

function withLoss(logged: Logged, events: readonly LogEvent[], step: number, loss: number): Logged {
  const was = events.find((event) => event.event === "step" && event.step === step);
  if (was === undefined || was.event !== "step") return logged;
  const difference = Math.abs(was.loss - loss);
  return { losses: logged.losses + 1, largestDifference: Math.max(logged.largestDifference, difference) };
}
