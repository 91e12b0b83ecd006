/** The loop over optimizer steps. It knows nothing of files and terminals: it tells its observer what happened. */
import { lossNotFinite } from "../errors";
import type { ObjectiveBatch, OptimizerPlan } from "../experiment";
import type { StepScalars, StepValues } from "../schedules/schedules";
import type { Lengths } from "../step/lengths";
import { type NotFinite, problemOf } from "./not-finite";
import type { StopSignal } from "./signals";

export type Schedule = StepValues & StepScalars;

/** What one optimizer step needs apart from its images. */
export interface PreparedStep {
  readonly schedule: Schedule;
  /** One for each micro-batch. */
  readonly microBatches: readonly PreparedMicroBatch[];
}

export interface PreparedMicroBatch {
  readonly lengths: Lengths;
  /** Masks and stochastic depth of each device of this process; images come when it runs. */
  readonly batches: readonly ObjectiveBatch["batch"][];
}

export interface StepOutcome {
  /** Mean over the micro-batches; not finite where training has failed. */
  readonly loss: number;
  /** What of it a regularizer adds; absent where there is none. */
  readonly regularizer?: number;
  /** Norm of the gradient before clipping; null where there was no update, since the loss is not finite. */
  readonly gradientNorm: number | null;
  /** Why the state is again as it was before the step; absent of a step that counts (skipping.ts). */
  readonly takenBack?: NotFinite;
}

/** The functions of one step, as the loop sees them. Steps count from 0 here: those that are done before. */
export interface StepRunner {
  prepare(step: number): PreparedStep;
  /** `nextImages` gives the pixels of the next device's micro-batch; `dataMs` in the result is the time spent waiting. */
  run(
    prepared: PreparedStep,
    nextImages: () => Promise<Uint8Array>,
  ): Promise<StepOutcome & { readonly dataMs: number }>;
  /** The same, but resolves when the engine has taken what it is given; the outcome comes later. */
  begin(
    prepared: PreparedStep,
    nextImages: () => Promise<Uint8Array>,
  ): Promise<{ readonly outcome: Promise<StepOutcome>; readonly dataMs: number }>;
  /** How many steps the engine can have waiting behind the one that runs. */
  readonly ahead: number;
}

export interface StepReport extends StepOutcome {
  /** Steps done, this one included. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  /** Step within the epoch, from 0. */
  readonly iteration: number;
  /** Mean loss of the epoch so far. */
  readonly epochLoss: number;
  readonly schedule: Schedule;
  /** Tokens of a context, and of one target block; means over the micro-batches. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  readonly images: number;
  /** Time of the step without the wait for images. */
  readonly timeMs: number;
  readonly dataMs: number;
  /** From the end of the step before to the end of this one. */
  readonly wallMs: number;
  /** Of a step that was taken back: how many there were in the run, this one included. */
  readonly skipped?: number;
}

export interface LoopObserver {
  step(report: StepReport): Promise<void>;
  /** After the last step of an epoch; `report` is that of the step. */
  epochEnd(report: StepReport): Promise<void>;
  /** In place of `step` where a number is not finite; the run goes on where the step was taken back. */
  notFinite(report: StepReport, problem: NotFinite): Promise<void>;
}

export type StopReason = StopSignal | "floor" | "complete" | "steps";

export interface LoopEnd {
  readonly reason: StopReason;
  readonly stepsDone: number;
  readonly epochLoss: number;
}

export interface LoopOptions {
  readonly optimizer: OptimizerPlan;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Where to go on: steps done, and the mean loss of the epoch that is under way. */
  readonly from: { readonly stepsDone: number; readonly epochLoss: number };
  /** Stop when so many steps are done; at most `steps`. */
  readonly stopAtStep: number;
  /** Before every step, and at the end; all ranks get the same answer, whichever of them was asked to stop. */
  readonly stopRequested: () => Promise<StopSignal | "floor" | null>;
  readonly runner: StepRunner;
  readonly nextImages: () => Promise<Uint8Array>;
  readonly observer: LoopObserver;
  readonly lastCheckpoint: () => { readonly path: string; readonly step: number } | null;
  /** Names of the images of a step, by the number of steps done before it. */
  readonly imageNames: (step: number) => readonly string[];
  /** Steps that were taken back before this run of the program. */
  readonly skippedBefore: number;
}

/** A step that the engine has begun. */
interface BegunStep {
  readonly prepared: PreparedStep;
  readonly outcome: Promise<StepOutcome>;
  readonly beganMs: number;
  readonly dataMs: number;
}

export async function trainLoop(options: LoopOptions): Promise<LoopEnd> {
  const { optimizer, runner, observer } = options;
  const stopAtStep = Math.min(options.stopAtStep, options.steps);
  let stepsDone = options.from.stepsDone;
  let epochLoss = stepsDone % optimizer.stepsPerEpoch === 0 ? 0 : options.from.epochLoss;
  let endedMs = performance.now();
  let skipped = options.skippedBefore;
  /** In their order. What is observed, and whatever reads the weights, comes after all of them. */
  const queue: BegunStep[] = [];

  const finish = async ({ prepared, outcome, beganMs, dataMs }: BegunStep): Promise<void> => {
    const { loss, regularizer, gradientNorm, takenBack } = await outcome;
    const problem = takenBack ?? problemOf({ loss, gradientNorm });
    const iteration = stepsDone % optimizer.stepsPerEpoch;
    // The running form of the mean: a resumed epoch goes on from the mean alone, to the bit. A step that was taken back
    // counts as one with the mean of those before.
    if (iteration === 0) epochLoss = Number.NaN;
    if (problem === null) {
      epochLoss = Number.isNaN(epochLoss) ? loss : epochLoss + (loss - epochLoss) / (iteration + 1);
    }
    const nowMs = performance.now();
    const report: StepReport = {
      step: stepsDone + 1,
      epoch: Math.floor(stepsDone / optimizer.stepsPerEpoch) + 1,
      iteration,
      loss,
      ...(regularizer === undefined ? {} : { regularizer }),
      gradientNorm,
      epochLoss,
      schedule: prepared.schedule,
      contextTokens: mean(prepared.microBatches.map(({ lengths }) => lengths.C)),
      targetTokens: mean(prepared.microBatches.map(({ lengths }) => lengths.T)),
      images: optimizer.globalBatch,
      // A step that waited behind another one began when that one ended.
      timeMs: nowMs - Math.max(beganMs + dataMs, endedMs),
      dataMs,
      wallMs: nowMs - endedMs,
    };
    endedMs = nowMs;
    if (problem === null) {
      stepsDone++;
      await observer.step(report);
    } else {
      if (takenBack === undefined || ++skipped > optimizer.skipNonFinite) {
        await observer.notFinite(report, problem);
        throw stopOf(options, report, problem);
      }
      stepsDone++;
      await observer.notFinite({ ...report, skipped }, problem);
    }
    if (iteration + 1 === optimizer.stepsPerEpoch) {
      await observer.epochEnd(report);
      // Checkpoints and evaluations are no part of the speed of a step.
      endedMs = performance.now();
    }
  };
  /** Until at most so many are under way. */
  const finishDownTo = async (most: number): Promise<void> => {
    while (queue.length > most) {
      const first = queue.shift();
      if (first !== undefined) await finish(first);
    }
  };

  let begun = stepsDone;
  let prepared = begun < stopAtStep ? runner.prepare(begun) : null;
  let stopRequested = await options.stopRequested();
  while (prepared !== null && stopRequested === null) {
    const beganMs = performance.now();
    const current = prepared;
    const beginning = runner.begin(current, options.nextImages);
    begun++;
    // While the engine computes and the workers read ahead.
    prepared = begun < stopAtStep ? runner.prepare(begun) : null;
    try {
      const { outcome, dataMs } = await beginning;
      // A failure is met in its turn; until then it must not end the process.
      outcome.catch(() => undefined);
      queue.push({ prepared: current, beganMs, outcome, dataMs });
    } catch (error) {
      // The weights are those after the steps before, so these have to be known to be good.
      await finishDownTo(0);
      throw error;
    }
    // At the end of an epoch the weights are looked at: nothing may have changed them since.
    await finishDownTo(begun % optimizer.stepsPerEpoch === 0 ? 0 : runner.ahead);
    // Lets timers and signals in, also where an engine and its data never leave the queue of promises.
    await new Promise<void>((resolve) => setImmediate(resolve));
    stopRequested = await options.stopRequested();
  }
  await finishDownTo(0);

  const reason = stopRequested ?? (stepsDone === options.steps ? "complete" : "steps");
  return { reason, stepsDone, epochLoss };
}

function stopOf(options: LoopOptions, { step, schedule }: StepReport, problem: NotFinite): Error {
  return lossNotFinite({
    ...problem,
    step,
    lr: schedule.learningRate,
    lastCheckpoint: options.lastCheckpoint(),
    images: options.imageNames(step - 1),
    mostSkipped: options.optimizer.skipNonFinite,
  });
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
