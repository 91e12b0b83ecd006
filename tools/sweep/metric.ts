/** Which metrics the runs of an experiment report, and whether a sweep can be judged and stopped by one. */

import { errors } from "../../compiler/diagnostics/catalogue";
import { nearest } from "../../compiler/diagnostics/near";
import type { Spec } from "../../compiler/spec/spec";
import { shapesTasks } from "../../runtime/data/shapes/shapes";
import type { Found } from "./axes";
import type { GridInput, StopInput } from "./grid";
import type { StopRule, SweepMetric, SweepPoint } from "./sweep";

/** Names of runtime/report/metric.ts that runs of this experiment have, the first the one to compare by. */
export function metricsOf({ data }: Pick<Spec, "data">): readonly string[] {
  // As the trainer opens its evaluation (runtime/loop/node-environment.ts): without labels there is none.
  if (data.source === "folder" && (!data.labels || data.validation === null)) return ["loss"];
  const tasks = data.source === "shapes" ? shapesTasks(data).map(({ name }) => name) : ["class"];
  return [...tasks.flatMap((task) => [`${task}.linearProbe`, `${task}.knn`]), "rankMe", "featureSpread", "loss"];
}

/** The metric that the grid names, or the first that every point has. */
export function metricOf(grid: GridInput, points: readonly SweepPoint[]): SweepMetric {
  const name = grid.metric?.name ?? common(points)[0] ?? "loss";
  return { name, goal: grid.metric?.goal ?? (name === "loss" ? "min" : "max") };
}

/** Metrics that all points have. */
function common(points: readonly SweepPoint[]): readonly string[] {
  const [first, ...others] = kindsOfData(points);
  return first === undefined
    ? []
    : metricsOf(first.spec).filter((name) => others.every(({ spec }) => metricsOf(spec).includes(name)));
}

/** One point for each way in which their data differ. */
function kindsOfData(points: readonly SweepPoint[]): readonly SweepPoint[] {
  return [
    ...new Map([...points].reverse().map((point) => [JSON.stringify(point.spec.data), point])).values(),
  ].reverse();
}

/** A metric that some run does not report. */
export function metricProblems({ metric }: GridInput, points: readonly SweepPoint[]): readonly Found[] {
  if (metric === undefined) return [];
  const lacking = kindsOfData(points).find(({ spec }) => !metricsOf(spec).includes(metric.name));
  if (lacking === undefined) return [];
  const known = metricsOf(lacking.spec);
  const isOne = kindsOfData(points).length === 1;
  const { name } = metric;
  const problem = errors.unknownMetric({ name, known, near: nearest(name, known), point: isOne ? null : lacking.name });
  return [{ path: ["metric", "name"], problem }];
}

export function stopOf(stop: StopInput | undefined): StopRule | null {
  if (stop === undefined) return null;
  return stop.rule === "floor" ? stop : { ...stop, keep: stop.keep ?? 0.5 };
}

/** Epochs at which there is nothing to look at, or nothing left to stop. */
export function stopProblems(
  { stop }: GridInput,
  metric: SweepMetric,
  points: readonly SweepPoint[],
): readonly Found[] {
  if (stop === undefined) return [];
  const epochs = stop.rule === "floor" ? stop.floors.map(({ epoch }) => epoch) : stop.epochs;
  const longest = Math.max(...points.map(({ spec }) => spec.optimization.epochs));
  return epochs.flatMap((epoch, i): Found[] => {
    const path = stop.rule === "floor" ? ["stop", "floors", i, "epoch"] : ["stop", "epochs", i];
    const before = epochs[i - 1];
    if (before !== undefined && epoch <= before) {
      return [{ path, problem: errors.stopEpochsNotRising({ epoch, before }) }];
    }
    if (epoch >= longest) return [{ path, problem: errors.stopEpochBeyond({ epoch, epochs: longest }) }];
    const blind = points.find((point) => !isKnown(metric, point, epoch));
    if (blind === undefined) return [];
    const { everyEpochs } = blind.spec.evaluation;
    return [{ path, problem: errors.stopNotEvaluated({ metric: metric.name, epoch, point: blind.name, everyEpochs }) }];
  });
}

/** The loss is known at every epoch, all others where the trainer evaluates; a run that is over needs nothing. */
function isKnown({ name }: SweepMetric, { spec }: SweepPoint, epoch: number): boolean {
  const { everyEpochs } = spec.evaluation;
  return name === "loss" || epoch >= spec.optimization.epochs || (everyEpochs > 0 && epoch % everyEpochs === 0);
}
