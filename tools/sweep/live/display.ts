/** Shows what the points of a sweep do: a table that is drawn again on a terminal, plain lines elsewhere. */
import { join } from "node:path";
import { createLogUpdate } from "log-update";
import pico from "picocolors";
import { printable } from "../../../compiler/diagnostics/problem-text";
import { metricCurve } from "../../../runtime/report/metric";
import { readLogFile } from "../../../runtime/report/read-log";
import { durationText } from "../../../runtime/report/text";
import { runFolder, type SweepFolders } from "../folders";
import { metricText, numberText, titleWithUnit } from "../results/metric-text";
import { type PointCondition, pausedMessage, stateOf } from "../state";
import type { Sweep, SweepPoint } from "../sweep";
import { remainingMs } from "./remaining";
import { countsText, headline, type LiveRow, tableText } from "./table";

export interface Display {
  /** What the executor says of a point. */
  status(name: string, text: string): void;
  /** The process of a point ended. */
  ended(name: string): void;
  /** Something was decided about points that do not run. */
  decided(): void;
  note(line: string): void;
  /** Shows everything as it is at the end. */
  close(): void;
}

export interface DisplayOptions {
  readonly sweep: Sweep;
  readonly points: readonly SweepPoint[];
  readonly folders: SweepFolders;
  readonly generator: string;
  /** Points at a time, where that is known: for the guess how long it takes. */
  readonly jobs: number | null;
  readonly stream: NodeJS.WriteStream;
  /** A table is wanted, where the stream is a terminal. */
  readonly table: boolean;
}

/** How often run folders are looked at, and how often plain lines tell how far it is. */
const pollMs = { table: 1000, lines: 2000 } as const;
const lineEveryMs = 30_000;

export function openDisplay(options: DisplayOptions): Display {
  const isTable = options.table && options.stream.isTTY === true && process.env.CI === undefined;
  return isTable ? tableDisplay(options) : lineDisplay(options);
}

/** The rows of all points. Logs are read again where the point may have changed. */
function openRows({ sweep, points, folders, generator, jobs }: DisplayOptions) {
  const began = performance.now();
  const rows = new Map<string, LiveRow>();
  const open = new Set(points.map(({ name }) => name));
  const byName = new Map(points.map((point) => [point.name, point]));
  const statuses = new Map<string, string>();
  /** When points were first seen running, and how long those took that finished here. */
  const startedAt = new Map<string, number>();
  const endedMs = new Map<string, number>();
  const sinceStart = (name: string): number => performance.now() - (startedAt.get(name) ?? performance.now());
  const metrics = new Map<string, { readonly at: string; readonly value: number | null }>();

  const metricOf = (folder: string, name: string, { state, progress }: PointCondition): number | null => {
    // An evaluation follows the last step of its epoch.
    const at = `${state} ${progress.epoch}`;
    const known = metrics.get(name);
    if (known?.at === at) return known.value;
    const events =
      state === "stale" || progress.step === 0 ? [] : readLogFile(join(folder, "log.jsonl"), { mostSteps: 1 });
    const value = metricCurve(events, sweep.metric.name).at(-1)?.value ?? null;
    metrics.set(name, { at, value });
    return value;
  };
  const refresh = (name: string): LiveRow => {
    const point = byName.get(name);
    if (point === undefined) throw new Error(`internal: ${name} is no point that is shown`);
    const folder = runFolder(folders, sweep, point);
    const condition = stateOf(folder, { spec: point.hash, generator });
    const row = { name, condition, status: statuses.get(name) ?? null, metric: metricOf(folder, name, condition) };
    rows.set(name, row);
    if (condition.state === "running" && !startedAt.has(name)) startedAt.set(name, performance.now());
    return row;
  };
  for (const { name } of points) refresh(name);
  return {
    status: (name: string, text: string): void => {
      statuses.set(name, text);
      open.add(name);
    },
    ended: (name: string): LiveRow => {
      statuses.delete(name);
      const row = refresh(name);
      // One that was stopped or failed says nothing of the time of the others.
      if (row.condition.state === "finished" && startedAt.has(name)) endedMs.set(name, sinceStart(name));
      startedAt.delete(name);
      open.delete(name);
      return row;
    },
    decided: (): void => {
      for (const { name } of points) refresh(name);
    },
    all: (): readonly LiveRow[] => {
      // Those that wait for their turn change only when the executor says so.
      for (const name of open) if (statuses.has(name)) refresh(name);
      return points.flatMap(({ name }) => rows.get(name) ?? []);
    },
    elapsedMs: (): number => performance.now() - began,
    leftMs: (all: readonly LiveRow[]): number | null =>
      remainingMs({
        running: all.flatMap(({ name, condition: { state, progress } }) =>
          state === "running" ? [{ ranForMs: sinceStart(name), leftMs: progress.leftMs }] : [],
        ),
        waiting: all.filter(({ condition }) => condition.state === "waiting").length,
        endedMs: [...endedMs.values()],
        jobs,
      }),
  };
}

function tableDisplay(options: DisplayOptions): Display {
  const { sweep, stream } = options;
  const rows = openRows(options);
  const update = createLogUpdate(stream);
  const draw = (): void => {
    const all = rows.all();
    update(
      tableText(all, {
        sweepName: sweep.name,
        metricName: sweep.metric.name,
        width: stream.columns,
        height: stream.rows,
        colour: pico.isColorSupported,
        elapsedMs: rows.elapsedMs(),
        leftMs: rows.leftMs(all),
      }),
    );
  };
  draw();
  const timer = setInterval(draw, pollMs.table);
  return {
    status: rows.status,
    ended: (name) => void rows.ended(name),
    decided: rows.decided,
    note: (line) => {
      update.persist(printable(line));
      draw();
    },
    close: () => {
      clearInterval(timer);
      rows.decided();
      draw();
      update.done();
    },
  };
}

function lineDisplay(options: DisplayOptions): Display {
  const { sweep, points, stream } = options;
  const rows = openRows(options);
  const shown = new Map<string, string>();
  const write = (line: string): void => void stream.write(`${printable(line)}\n`);
  let lineAtMs = 0;
  const look = (): void => {
    const all = rows.all();
    for (const { name, condition } of all) {
      if (condition.state === "running" && shown.get(name) !== "running") {
        const { step, steps } = condition.progress;
        write(`${name}: running${step > 0 ? `, step ${step} of ${steps ?? "?"}` : ""}`);
      }
      shown.set(name, condition.state);
    }
    const elapsedMs = rows.elapsedMs();
    if (elapsedMs - lineAtMs < lineEveryMs) return;
    lineAtMs = elapsedMs;
    write(headline(all, { sweepName: sweep.name, elapsedMs, leftMs: rows.leftMs(all) }));
  };
  const timer = setInterval(look, pollMs.lines);
  return {
    status: (name, text) => {
      rows.status(name, text);
    },
    ended: (name) => {
      const row = rows.ended(name);
      shown.set(name, row.condition.state);
      write(`${name}: ${endText(row, sweep.metric.name)}`);
    },
    decided: () => {
      rows.decided();
      for (const { name, condition } of rows.all()) {
        const isNew = condition.state === "stopped" && shown.get(name) !== "stopped";
        if (isNew) write(`${name}: stopped (${condition.message})`);
        shown.set(name, condition.state);
      }
    },
    note: write,
    close: () => {
      clearInterval(timer);
      rows.decided();
      const all = rows.all();
      write(`${sweep.name}: ${countsText(all)} of ${points.length} points in ${durationText(rows.elapsedMs())}`);
    },
  };
}

function endText({ condition, metric }: LiveRow, metricName: string): string {
  const { state, message, progress } = condition;
  const [firstLine = ""] = (message ?? "").split("\n");
  const isPaused = message === pausedMessage;
  const why = firstLine === "" || state === "finished" || isPaused ? "" : ` (${firstLine})`;
  const text = metricText(metricName);
  const isLoss = metricName === "loss";
  return [
    `${isPaused ? "paused" : state}${why}`,
    ...(progress.step === 0 ? [] : [`${progress.step} steps`]),
    ...(progress.loss === null || isLoss ? [] : [`loss ${progress.loss.toFixed(4)}`]),
    ...(metric === null ? [] : [`${titleWithUnit(text)} ${numberText(text, metric)}`]),
  ].join(", ");
}
