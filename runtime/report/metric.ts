/**
 * The numbers by which runs are compared, by name: `loss` (the mean of an epoch), and of the judged encoder as evaluated
 * `rankMe`, `featureSpread`, and for each task `<task>.linearProbe` and `<task>.knn` (accuracies, 0…1). The loss is no
 * measure of quality across experiments (docs/evaluation.md); it is there to see a run that went wrong.
 */
import type { EvaluationReport } from "../evaluate/evaluation-report";
import type { JudgedEncoder } from "../experiment";
import type { LogEvent } from "./jsonl";

export interface MetricPoint {
  /** From 1: the value is that at the end of this epoch. */
  readonly epoch: number;
  /** Optimizer steps done. */
  readonly step: number;
  readonly value: number;
}

/** The rows of reports that speak of the weights in training. */
const trained: readonly string[] = ["target encoder", "encoder"] satisfies readonly JudgedEncoder["name"][];

/** What an evaluation says, by name, in the order of its report: tasks first, then the signals of collapse. */
export function reportMetrics(report: EvaluationReport): ReadonlyMap<string, number> {
  const row = report.rows.find(({ representation }) => trained.includes(representation));
  const found = new Map<string, number>();
  if (row === undefined) return found;
  for (const [t, { name }] of report.tasks.entries()) {
    const task = row.tasks[t];
    if (task === undefined) continue;
    found.set(`${name}.linearProbe`, task.linearProbe);
    found.set(`${name}.knn`, task.knn);
  }
  if (row.collapse !== null) {
    found.set("rankMe", row.collapse.rankMe);
    found.set("featureSpread", row.collapse.featureSpread);
  }
  return found;
}

/**
 * The values of a metric by epoch, ascending; empty where the run does not have it. A run that went on from a checkpoint may
 * have an epoch twice: the later line counts.
 */
export function metricCurve(events: readonly LogEvent[], name: string): readonly MetricPoint[] {
  const byEpoch = new Map<number, MetricPoint>();
  for (const event of events) {
    const value = valueIn(event, name);
    if (value === null || (event.event !== "epoch" && event.event !== "evaluation")) continue;
    byEpoch.set(event.epoch, { epoch: event.epoch, step: event.step, value });
  }
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
}

function valueIn(event: LogEvent, name: string): number | null {
  if (event.event === "epoch") return name === "loss" ? event.loss : null;
  return event.event === "evaluation" ? (reportMetrics(event.report).get(name) ?? null) : null;
}

/** All metrics that a run has: `loss` first, then those of its evaluations. */
export function metricNames(events: readonly LogEvent[]): readonly string[] {
  const names = new Set<string>();
  for (const event of events) {
    if (event.event === "epoch") names.add("loss");
  }
  for (const event of events) {
    if (event.event === "evaluation") for (const name of reportMetrics(event.report).keys()) names.add(name);
  }
  return [...names];
}

/** Shares of right answers, for which the number of test images gives an error. */
export const isAccuracy = (name: string): boolean => name.endsWith(".linearProbe") || name.endsWith(".knn");
