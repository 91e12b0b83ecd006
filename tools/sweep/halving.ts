/**
 * Successive halving (Jamieson and Talwalkar, AISTATS 2016): all points train to an epoch, the best share of them to the
 * next, and so on. Every decision is kept in point.json, so a sweep that is interrupted and resumed decides the same.
 */
import { join } from "node:path";
import { metricCurve } from "../../runtime/report/metric";
import { readLogFile } from "../../runtime/report/read-log";
import type { PointTask } from "./executors/executor";
import { runFolder, type SweepFolders } from "./folders";
import { addRung, type Rung, readRecord } from "./record";
import type { StopRule, Sweep, SweepMetric, SweepPoint } from "./sweep";

export type HalvingRule = Extract<StopRule, { rule: "halving" }>;

/** A point that can be trained now, with the steps after which its epochs end. */
export interface HalvingTask {
  readonly task: PointTask;
  readonly stepsPerEpoch: number;
  readonly steps: number;
}

export interface HalvingOptions {
  readonly sweep: Pick<Sweep, "name" | "metric">;
  readonly rule: HalvingRule;
  readonly folders: SweepFolders;
  /** All that are compared: also those that an earlier call of the sweep has finished or stopped. */
  readonly points: readonly SweepPoint[];
  /** By name, of those that are not done. */
  readonly tasks: ReadonlyMap<string, HalvingTask>;
  readonly run: (tasks: readonly PointTask[]) => Promise<unknown>;
  readonly isStopping: () => boolean;
  /** Whether the point ended by an error: then nothing is decided, since it may be mended and resumed. */
  readonly isFailed: (point: SweepPoint) => boolean;
  readonly note: (line: string) => void;
  /** Told after every decision is on disk. */
  readonly decided: () => void;
}

export async function runHalving(options: HalvingOptions): Promise<void> {
  const { rule, tasks, run } = options;
  let left = options.points;
  for (const epoch of rule.epochs) {
    const behind = left.filter((point) => valueAt(options, point, epoch) === null);
    await run(behind.flatMap(({ name }) => toEpoch(tasks.get(name), epoch)));
    if (options.isStopping()) return;
    left = decide(options, left, epoch);
    options.decided();
  }
  await run(left.flatMap(({ name }) => tasks.get(name)?.task ?? []));
}

function toEpoch(given: HalvingTask | undefined, epoch: number): readonly PointTask[] {
  if (given === undefined) return [];
  const { task, stepsPerEpoch, steps } = given;
  const until = epoch * stepsPerEpoch;
  return [until >= steps ? task : { ...task, command: [...task.command, "--steps", String(until)] }];
}

/** At the end of an epoch; of a run that has fewer, at its own end. Null where the run does not have it. */
function valueAt({ sweep, folders }: HalvingOptions, point: SweepPoint, epoch: number): number | null {
  const events = readLogFile(join(runFolder(folders, sweep, point), "log.jsonl"), { mostSteps: 1 });
  const at = Math.min(epoch, point.spec.optimization.epochs);
  return metricCurve(events, sweep.metric.name).find((measured) => measured.epoch === at)?.value ?? null;
}

/** Gives the points that go on. */
function decide(options: HalvingOptions, points: readonly SweepPoint[], epoch: number): readonly SweepPoint[] {
  const { sweep, rule, folders, note } = options;
  const ranked = rank(
    points.map((point) => ({ point, value: valueAt(options, point, epoch) })),
    sweep.metric.goal,
  );
  const places = Math.ceil(points.length * rule.keep - 1e-9);
  const goesOn = ranked.filter(({ point, value }, index) => {
    const folder = runFolder(folders, sweep, point);
    const kept = readRecord(folder)?.rungs.find((rung) => rung.epoch === epoch);
    if (kept !== undefined) return kept.goesOn;
    const decided: Rung = {
      epoch,
      value,
      rank: index + 1,
      of: points.length,
      goesOn: value !== null && index < places,
    };
    if (value !== null || !options.isFailed(point)) addRung(folder, decided);
    return decided.goesOn;
  });
  note(`epoch ${epoch}: ${goesOn.length} of ${points.length} points go on, by ${sweep.metric.name}`);
  const names = new Set(goesOn.map(({ point }) => point.name));
  return points.filter(({ name }) => names.has(name));
}

interface Ranked {
  readonly point: SweepPoint;
  readonly value: number | null;
}

/** Best first; what has no value comes last, and of equals the earlier point of the grid goes first. */
export function rank<Entry extends Ranked>(entries: readonly Entry[], goal: SweepMetric["goal"]): readonly Entry[] {
  const worth = ({ value }: Entry): number =>
    value === null || Number.isNaN(value) ? Number.NEGATIVE_INFINITY : goal === "max" ? value : -value;
  return [...entries].sort((a, b) => {
    const [worthA, worthB] = [worth(a), worth(b)];
    return worthA === worthB ? a.point.index - b.point.index : worthB - worthA;
  });
}
