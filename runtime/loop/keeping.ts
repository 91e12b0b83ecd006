/** Which checkpoints of a run are kept besides the latest: the last few, one every so many epochs, and the best by a metric. */
import { checkpointMetricUnknown } from "../errors";
import type { EvaluationPlan, LogPlan } from "../experiment";
import { usualGoal } from "../report/floor";
import type { LogEvent } from "../report/jsonl";
import { metricCurve, metricNames } from "../report/metric";

export interface KeepingPlan {
  readonly log: LogPlan;
  readonly evaluation: Pick<EvaluationPlan, "everyEpochs">;
}

/** Whether an epoch leaves a numbered copy; those of the last epochs go again (keepOnly). */
export function isKept({ keepEveryEpochs, keepLast, checkpointEveryEpochs }: LogPlan, epoch: number): boolean {
  return isMultiple(epoch, keepEveryEpochs) || (keepLast > 1 && isMultiple(epoch, checkpointEveryEpochs));
}

/** Whether the metric that decides on the best checkpoint is measured after an epoch; the same on every rank. */
export function mayBeBest({ log, evaluation }: KeepingPlan, epoch: number): boolean {
  if (log.keepBestMetric === null) return false;
  return log.keepBestMetric === "loss" || isMultiple(epoch, evaluation.everyEpochs);
}

/** Epochs, of those that have a copy, whose copies are to go after `epoch`. Copies of later epochs are of another run. */
export function surplusCopies(
  { keepEveryEpochs, keepLast }: LogPlan,
  copies: readonly number[],
  epoch: number,
): number[] {
  if (keepLast <= 1) return [];
  const upToNow = copies.filter((copy) => copy <= epoch).sort((a, b) => b - a);
  return upToNow.slice(keepLast).filter((copy) => !isMultiple(copy, keepEveryEpochs));
}

/**
 * Whether the metric is at its best at the end of `epoch`, by the log; the first of equals is the best. False where it was not
 * measured, since an evaluation can fail. Throws R183 where an evaluation is there and has no such metric.
 */
export function isBest(metric: string, epoch: number, events: readonly LogEvent[]): boolean {
  const curve = metricCurve(events, metric);
  const now = curve.find((point) => point.epoch === epoch);
  if (now === undefined) {
    const isEvaluated = events.some((event) => event.event === "evaluation" && event.epoch === epoch);
    if (isEvaluated && curve.length === 0) throw checkpointMetricUnknown({ metric, known: metricNames(events) });
    return false;
  }
  const sign = usualGoal(metric) === "max" ? 1 : -1;
  return curve.every((point) => point.epoch >= epoch || sign * point.value < sign * now.value);
}

const isMultiple = (epoch: number, every: number): boolean => every > 0 && epoch % every === 0;
