/** From the run folder of every point to its row: logs are read, nothing is written. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isObject, type JsonValue } from "../../../compiler/spec/json";
import type { LogEvent, StepEvent } from "../../../runtime/report/jsonl";
import { isAccuracy, metricCurve, metricNames } from "../../../runtime/report/metric";
import { readLogFile } from "../../../runtime/report/read-log";
import { runFolder, type SweepFolders } from "../folders";
import { readRecord } from "../record";
import type { Sweep, SweepPoint } from "../sweep";
import type { CurvePoint, MetricValue, PointResult, PointStatus } from "./results";
import { median, shareError } from "./statistics";

/** Points of a curve at most. */
export const mostCurvePoints = 400;
/** Step events that are read of a log; a curve of their means looks the same with more. */
const mostSteps = 4 * mostCurvePoints;

export interface GatherOptions {
  readonly folders: SweepFolders;
  readonly status: (point: SweepPoint) => PointStatus;
}

/** One row for every point, in the order of the grid, whatever became of it. */
export function gatherPoints(sweep: Pick<Sweep, "name" | "points">, options: GatherOptions): readonly PointResult[] {
  const spanEpochs = spanOf(sweep.points.map(({ spec }) => spec.optimization.epochs));
  return sweep.points.map((point) =>
    pointResult(point, runFolder(options.folders, sweep, point), options.status(point), spanEpochs),
  );
}

/** Epochs of one point of a curve: the same for all points of a sweep, so that their curves can be averaged. */
function spanOf(epochs: readonly number[]): number {
  return Math.max(1, ...epochs) / mostCurvePoints;
}

function pointResult(point: SweepPoint, folder: string, status: PointStatus, spanEpochs: number): PointResult {
  const record = readRecord(folder);
  const logged = readsLog(point, status, record?.spec ?? null)
    ? readLogFile(join(folder, "log.jsonl"), { mostSteps })
    : [];
  // Of another generator only what did not fail is of use: that it failed is not its state.
  const events = status.state === "stale" && endedBy(logged) === "failed" ? [] : logged;
  const plan = events.length === 0 ? null : jsonFile(join(folder, "experiment.json"));
  const steps = events.filter((event) => event.event === "step");
  const stepsPerEpoch = numberAt(plan, ["optimizer", "stepsPerEpoch"]) ?? stepsPerEpochOf(events);
  const stepsDone = events.reduce((most, { step }) => Math.max(most, step), 0);
  return {
    index: point.index,
    name: point.name,
    group: point.group,
    labels: point.labels,
    values: point.values,
    seed: point.seed,
    state: status.state,
    message: status.message,
    stepsDone,
    steps: numberAt(plan, ["schedule", "steps"]),
    epochsDone: stepsPerEpoch === null ? 0 : Math.floor(stepsDone / stepsPerEpoch),
    epochs: point.spec.optimization.epochs,
    lastLoss: steps.at(-1)?.loss ?? null,
    metrics: lastValues(events),
    testImages: testImagesOf(events),
    imagesPerSecond: median(steps.map(({ imagesPerSecond }) => imagesPerSecond)),
    wallMs: wallMsOf(events),
    engine: events.findLast((event) => event.event === "start")?.engine ?? null,
    specHash: point.hash,
    generatorHash: record?.generator ?? null,
    curves: Object.fromEntries(metricNames(events).map((name) => [name, metricCurve(events, name)])),
    stepLoss: stepsPerEpoch === null ? [] : stepLossOf(steps, stepsPerEpoch, spanEpochs),
  };
}

/**
 * A run of another spec says nothing of this point. One of this spec by another generator does: it is stale for a sweep that
 * goes on, but what was measured stays measured.
 */
function readsLog(point: SweepPoint, { state }: PointStatus, recordedSpec: string | null): boolean {
  return state !== "waiting" && (state !== "stale" || recordedSpec === point.hash);
}

const endedBy = (events: readonly LogEvent[]): string | null =>
  events.findLast((event) => event.event === "end")?.reason ?? null;

function lastValues(events: readonly LogEvent[]): Readonly<Record<string, MetricValue>> {
  const testImages = testImagesOf(events);
  const entries = metricNames(events).flatMap((name): readonly [string, MetricValue][] => {
    const last = metricCurve(events, name).at(-1);
    if (last === undefined) return [];
    const standardError = isAccuracy(name) && testImages !== null ? shareError(last.value, testImages) : null;
    return [[name, { ...last, standardError }]];
  });
  return Object.fromEntries(entries);
}

function testImagesOf(events: readonly LogEvent[]): number | null {
  const images = events.findLast((event) => event.event === "evaluation")?.report.testImages ?? 0;
  return images > 0 ? images : null;
}

function stepsPerEpochOf(events: readonly LogEvent[]): number | null {
  const end = events.find((event) => event.event === "epoch");
  return end === undefined ? null : end.step / end.epoch;
}

/** Means of the steps of every span, at its middle. */
function stepLossOf(steps: readonly StepEvent[], stepsPerEpoch: number, spanEpochs: number): readonly CurvePoint[] {
  const spans = new Map<number, { sum: number; count: number }>();
  for (const { step, loss } of steps) {
    const span = Math.ceil(step / stepsPerEpoch / spanEpochs - 1e-9) - 1;
    const total = spans.get(span) ?? { sum: 0, count: 0 };
    spans.set(span, { sum: total.sum + loss, count: total.count + 1 });
  }
  return [...spans]
    .sort(([a], [b]) => a - b)
    .map(([span, { sum, count }]) => ({ epoch: (span + 0.5) * spanEpochs, value: sum / count }));
}

/**
 * Sum over the times that the trainer was started: to its end as logged, or, where it was killed, the time of its steps.
 * Null where it never began.
 */
function wallMsOf(events: readonly LogEvent[]): number | null {
  let total = 0;
  let session: { readonly event: Extract<LogEvent, { event: "start" }>; readonly steps: StepEvent[] } | null = null;
  const closeKilled = (): void => {
    if (session === null) return;
    const { steps, event } = session;
    const last = steps.at(-1);
    if (last === undefined) return;
    const stepMs = steps.reduce((sum, { timeMs, dataMs }) => sum + timeMs + dataMs, 0) / steps.length;
    total += stepMs * (last.step - event.step);
  };
  let began = false;
  for (const event of events) {
    if (event.event === "start") {
      closeKilled();
      session = { event, steps: [] };
      began = true;
    } else if (event.event === "step") {
      session?.steps.push(event);
    } else if (event.event === "end" && session !== null) {
      const elapsedMs = Date.parse(event.time) - Date.parse(session.event.time);
      if (elapsedMs >= 0) {
        total += elapsedMs;
        session = null;
      }
    }
  }
  closeKilled();
  return began ? Math.round(total) : null;
}

/** Null where there is no such file, or it is not whole. */
function jsonFile(path: string): JsonValue {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function at(value: JsonValue, path: readonly string[]): JsonValue {
  return path.reduce<JsonValue>((inner, key) => (isObject(inner) ? (inner[key] ?? null) : null), value);
}

function numberAt(value: JsonValue, path: readonly string[]): number | null {
  const found = at(value, path);
  return typeof found === "number" ? found : null;
}
