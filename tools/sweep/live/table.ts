/** The table that a person watches while a sweep runs, as text. */
import Table from "cli-table3";
import pico from "picocolors";
import { printable } from "../../../compiler/diagnostics/problem-text";
import { durationText, rateText } from "../../../runtime/report/text";
import { metricText, numberText, titleWithUnit } from "../results/metric-text";
import { type PointState, pointStates } from "../results/results";
import { type PointCondition, pausedMessage } from "../state";

export interface LiveRow {
  readonly name: string;
  readonly condition: PointCondition;
  /** What the executor says of it: `process 4711`, `queued`. */
  readonly status: string | null;
  /** The metric of the sweep as it was measured last. */
  readonly metric: number | null;
}

export interface TableOptions {
  readonly sweepName: string;
  readonly metricName: string;
  /** Columns and lines of the terminal. */
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
  /** Time since the sweep began, and to its end where that can be guessed. */
  readonly elapsedMs: number;
  readonly leftMs: number | null;
}

/** What is going on comes first, then what went wrong, then what is done and what is to come. */
const order: readonly PointState[] = ["running", "failed", "interrupted", "stale", "finished", "stopped", "waiting"];

export function tableText(rows: readonly LiveRow[], options: TableOptions): string {
  const paint = pico.createColors(options.colour);
  const sorted = [...rows].sort((a, b) => order.indexOf(a.condition.state) - order.indexOf(b.condition.state));
  // A line for the heading of the sweep, one for the columns, one for those that do not fit, one for the cursor.
  const shown = sorted.slice(0, Math.max(1, options.height - 4));
  const hidden = sorted.slice(shown.length);
  const head = ["", "state", "epoch", "step", "loss", metricTitle(options.metricName), "images/s", "left"];
  const body = shown.map((row) => cellsOf(row, options.metricName));
  const widths = head.map((title, c) => Math.max(title.length, ...body.map((cells) => cells[c]?.length ?? 0)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  const nameWidth = Math.max(8, Math.min(widths[0] ?? 0, options.width - others - 2));
  const table = new Table({
    head: head.map((title) => paint.dim(title)),
    chars: noLines,
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [] },
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "right"],
  });
  for (const [index, cells] of body.entries()) {
    const [name = "", state = "", ...numbers] = cells;
    const colour = paint[colours[shown[index]?.condition.state ?? "waiting"]];
    table.push([shortened(name, nameWidth), colour(state), ...numbers]);
  }
  const lines = [headline(rows, options), table.toString(), ...(hidden.length === 0 ? [] : [paint.dim(more(hidden))])];
  return lines.join("\n");
}

/** `sweep-a: 2 running, 1 failed, 5 waiting · 3 min 05 s · about 12 min 00 s left` */
export function headline(
  rows: readonly LiveRow[],
  { sweepName, elapsedMs, leftMs }: Pick<TableOptions, "sweepName" | "elapsedMs" | "leftMs">,
): string {
  const left = leftMs === null ? [] : [`about ${durationText(leftMs)} left`];
  return [`${sweepName}: ${countsText(rows)}`, durationText(elapsedMs), ...left].join(" · ");
}

/** States with their numbers, those that occur. */
export function countsText(rows: readonly Pick<LiveRow, "condition">[]): string {
  return pointStates
    .map((state) => ({ state, count: rows.filter(({ condition }) => condition.state === state).length }))
    .flatMap(({ state, count }) => (count === 0 ? [] : [`${count} ${state}`]))
    .join(", ");
}

/** The loss of the last step has a column of its own. */
const metricTitle = (name: string): string => (name === "loss" ? "epoch's loss" : titleWithUnit(metricText(name)));

const colours = {
  running: "cyan",
  finished: "green",
  stopped: "yellow",
  failed: "red",
  interrupted: "yellow",
  stale: "yellow",
  waiting: "dim",
} as const satisfies { readonly [S in PointState]: string };

export function cellsOf({ name, condition, status, metric }: LiveRow, metricName: string): readonly string[] {
  const { message, state, progress } = condition;
  const { epoch, epochs, step, steps, loss, imagesPerSecond, leftMs } = progress;
  const isRunning = state === "running";
  const begins = state === "waiting" || state === "interrupted" ? status : null;
  const shown = message === pausedMessage ? "paused" : state;
  // After the last step a trainer evaluates what it has learnt.
  const isPast = isRunning && steps !== null && step >= steps;
  return [
    printable(name),
    isPast ? "evaluating" : (begins ?? shown),
    epochs === null || step === 0 ? "" : `${epoch}/${epochs}`,
    steps === null || step === 0 ? "" : `${step}/${steps}`,
    loss === null ? "" : loss.toFixed(4),
    metric === null ? "" : numberText(metricText(metricName), metric),
    isRunning && imagesPerSecond !== null ? rateText(imagesPerSecond) : "",
    isRunning && !isPast && leftMs !== null ? durationText(leftMs) : "",
  ];
}

function more(hidden: readonly LiveRow[]): string {
  return `… and ${countsText(hidden)}`;
}

/** The end of a name tells points apart. */
function shortened(name: string, width: number): string {
  return name.length <= width ? name : `…${name.slice(name.length - width + 1)}`;
}

const noLines = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
} as const;
