/** What happens beside training: logs, checkpoints and evaluations at their cadences. */

import type { BadImageCounts } from "../data/bad-image";
import { UserError } from "../errors";
import { type EvaluationReport, rowLine } from "../evaluate/evaluation-report";
import type { Experiment } from "../experiment";
import type { CsvLog } from "../report/csv";
import { measureDataWait } from "../report/data-wait";
import type { JsonlLog } from "../report/jsonl";
import type { Progress } from "../report/progress";
import type { RunCheckpoints } from "./checkpoints";
import type { RunEvaluation } from "./environment";
import type { Floors } from "./floors";
import { isKept, mayBeBest } from "./keeping";
import type { RunRecords } from "./records";
import type { LoopObserver, StepReport } from "./train-loop";

/** Besides those at the ends of epochs: what a crash can cost at most. */
const checkpointEveryMs = 30 * 60_000;

export interface ObserveOptions {
  readonly experiment: Experiment;
  readonly logEverySteps: number;
  readonly progress: Progress;
  readonly csv: CsvLog;
  readonly jsonl: JsonlLog;
  readonly checkpoints: RunCheckpoints;
  readonly evaluation: RunEvaluation | null;
  readonly floors: Floors;
  readonly isBest: RunRecords["isBest"];
  /** Shows how the weights spread, at the ends of epochs; null where nobody looks. */
  readonly spreads: ((step: number) => Promise<void>) | null;
  /** Of a step, by the number of those done before it. */
  readonly imageNames: (step: number) => readonly string[];
  /** Images that could not be used up to now, by reason. */
  readonly badImages: () => BadImageCounts;
  /** Whether the run begins with what is the latest checkpoint of its folder. */
  readonly isLatest: boolean;
  /** Told after every step, before anything can fail. */
  readonly reached: (report: StepReport) => void;
}

export interface RunObserver extends LoopObserver {
  /** Before the first step of a resumed run: evaluates what a run that was killed after its checkpoint did not. */
  resumed(hasEvaluation: RunRecords["hasEvaluation"], stepsDone: number): Promise<void>;
}

export function observe(options: ObserveOptions): RunObserver {
  const { experiment, progress, csv, jsonl, checkpoints, floors } = options;
  const { steps } = experiment.schedule;
  const { log, evaluation, optimizer } = experiment;
  let savedAtMs = performance.now();
  const waitOfEpoch = measureDataWait();

  const save = async (report: StepReport): Promise<void> => {
    const path = await checkpoints.save({ stepsDone: report.step, epochLoss: report.epochLoss });
    savedAtMs = performance.now();
    jsonl.append({ event: "checkpoint", step: report.step, path });
  };

  const evaluateAfter = async (epoch: number, step: number): Promise<void> => {
    // The last one is part of the end of the run.
    if (step === steps || evaluation.everyEpochs === 0 || epoch % evaluation.everyEpochs !== 0) return;
    const report = await evaluateNow(options.evaluation, (why) =>
      progress.note(`epoch ${epoch}: not evaluated. ${why}`),
    );
    if (report === null) return;
    jsonl.append({ event: "evaluation", step, epoch, report });
    for (const row of report.rows) progress.note(`epoch ${epoch}: ${rowLine(row, report.tasks)}`);
  };

  /** With the latest checkpoint that of the end of this epoch. */
  const keepBest = async (epoch: number): Promise<void> => {
    if (!mayBeBest(experiment, epoch) || !options.isBest(epoch)) return;
    progress.note(`epoch ${epoch}: the best ${log.keepBestMetric} up to now, kept ${await checkpoints.keep("best")}`);
  };

  return {
    resumed: async (hasEvaluation, stepsDone) => {
      const epoch = Math.floor(stepsDone / optimizer.stepsPerEpoch);
      const isAtEnd = stepsDone > 0 && stepsDone % optimizer.stepsPerEpoch === 0;
      if (isAtEnd && !(await hasEvaluation(stepsDone))) await evaluateAfter(epoch, stepsDone);
      // Its copy is made up for too, unless the run goes on from another file.
      if (isAtEnd && options.isLatest) await keepBest(epoch);
      if (epoch > 0) floors.afterEpoch(epoch);
    },
    step: async (report) => {
      options.reached(report);
      waitOfEpoch.add(report);
      csv.append(report);
      if (report.step % options.logEverySteps === 0 || report.step === steps) jsonl.append(stepEvent(report));
      progress.step({ ...report, lr: report.schedule.learningRate });
      if (performance.now() - savedAtMs > checkpointEveryMs) await save(report);
    },
    notFinite: async (report, { what, value }) => {
      const { step, skipped } = report;
      if (skipped !== undefined) {
        options.reached(report);
        csv.append(report);
        const most = optimizer.skipNonFinite;
        progress.note(`step ${step}: ${what} is ${value}; skipped, as ${skipped} of at most ${most} in this run.`);
      }
      const lr = report.schedule.learningRate;
      const counted = skipped === undefined ? {} : { skipped };
      const images = options.imageNames(step - 1);
      jsonl.append({ event: "notFinite", step, what, value: String(value), lr, ...counted, images });
    },
    epochEnd: async (last) => {
      const { epoch, step } = last;
      const isLast = step === steps;
      const badImages = options.badImages();
      const bad = Object.keys(badImages).length === 0 ? {} : { badImages };
      const share = waitOfEpoch.share();
      const waited = share === null ? {} : { dataShare: round(share) };
      waitOfEpoch.reset();
      jsonl.append({ event: "epoch", step, epoch, loss: last.epochLoss, ...bad, ...waited });
      const isDue = log.checkpointEveryEpochs > 0 && epoch % log.checkpointEveryEpochs === 0;
      if (isLast || isDue || isKept(log, epoch) || mayBeBest(experiment, epoch)) await save(last);
      if (isKept(log, epoch)) progress.note(`epoch ${epoch}: kept ${await checkpoints.keep(epoch)}`);
      // Only now, with the new one whole, may an old one go.
      await checkpoints.prune(epoch);
      await options.spreads?.(step);
      await evaluateAfter(epoch, step);
      await keepBest(epoch);
      floors.afterEpoch(epoch);
    },
  };
}

/** Training continues when an evaluation fails: the reason is printed now, and as an error at the end of the run. */
async function evaluateNow(
  evaluation: RunEvaluation | null,
  warn: (why: string) => void,
): Promise<EvaluationReport | null> {
  try {
    return (await evaluation?.now()) ?? null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(error.message);
    return null;
  }
}

function stepEvent(report: StepReport): Parameters<JsonlLog["append"]>[0] {
  return {
    event: "step",
    step: report.step,
    epoch: report.epoch,
    loss: report.loss,
    ...(report.regularizer === undefined ? {} : { regularizer: report.regularizer }),
    lr: report.schedule.learningRate,
    weightDecay: report.schedule.weightDecay,
    ...(report.schedule.momentum === undefined ? {} : { momentum: report.schedule.momentum }),
    contextTokens: report.contextTokens,
    targetTokens: report.targetTokens,
    ...(report.gradientNorm === null ? {} : { gradientNorm: report.gradientNorm }),
    timeMs: round(report.timeMs),
    dataMs: round(report.dataMs),
    imagesPerSecond: round(report.images / (report.wallMs / 1000)),
  };
}

/** Two decimals are more than a clock of a busy machine knows. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
