/** What a sweep consists of: for people, for programs, and for the matrix of a GitHub workflow. */
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import type { JsonValue } from "../../compiler/spec/json";
import type { StopRule, Sweep, SweepPoint } from "./sweep";

export type ListFormat = "text" | "json" | "github";

export interface ListOptions {
  readonly format: ListFormat;
  /** With `github`: a matrix of so many shards instead of one of points. */
  readonly shards?: number | undefined;
}

export type Listing =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What GitHub takes in one matrix. */
const mostJobs = 256;

/** The text ends with a line break; `github` is one line of JSON. `points` are those that are selected. */
export function listSweep(sweep: Sweep, points: readonly SweepPoint[], { format, shards }: ListOptions): Listing {
  if (format === "json") return { ok: true, text: `${JSON.stringify(jsonList(sweep, points), null, 2)}\n` };
  if (format === "text") return { ok: true, text: textList(sweep, points) };
  // A shard without points would be a job that does nothing.
  const jobs = shards === undefined ? points.length : Math.min(shards, points.length);
  if (jobs > mostJobs) {
    const problem = errors.tooManyJobs({ jobs, most: mostJobs, shards: shards !== undefined });
    return { ok: false, diagnostics: [unplaced(sweep.file, problem)] };
  }
  const include = shards === undefined ? points.map(pointJob) : shardJobs(points, { shards, jobs });
  return { ok: true, text: `${JSON.stringify({ include })}\n` };
}

function pointJob({ name, index, labels }: SweepPoint) {
  return { point: name, index, ...labels };
}

/** `shard` is what --shard takes. */
function shardJobs(
  points: readonly SweepPoint[],
  { shards, jobs }: { readonly shards: number; readonly jobs: number },
) {
  return Array.from({ length: jobs }, (_, i) => ({
    shard: `${i + 1}/${shards}`,
    points: Math.ceil((points.length - i) / shards),
  }));
}

function jsonList({ name, description, file, base, axes, seeds, metric, stop }: Sweep, points: readonly SweepPoint[]) {
  return {
    sweep: name,
    description,
    file,
    base,
    axes,
    seeds,
    metric,
    stop,
    points: points.map(({ index, name: point, group, labels, values, seed, hash }) => ({
      index,
      name: point,
      group,
      labels,
      values,
      seed,
      hash,
    })),
  };
}

function textList(sweep: Sweep, points: readonly SweepPoint[]): string {
  const pointers = sweep.axes.flatMap((axis) => axis.pointers);
  const hasSeeds = points.some(({ name, group }) => name !== group);
  const head = ["", "point", ...pointers, ...(hasSeeds ? ["seed"] : [])];
  const rows = points.map(({ index, name, values, seed }) => [
    String(index),
    name,
    ...pointers.map((pointer) => valueText(values[pointer])),
    ...(hasSeeds ? [String(seed)] : []),
  ]);
  const widths = head.map((title, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), title.length),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padStart(widths[0] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${[...about(sweep, points), "", line(head), ...rows.map(line)].join("\n")}\n`;
}

/** Longer values, such as whole groups, would make lines that wrap. */
const longestValue = 40;

function valueText(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}

function about({ name, base, points: all, metric, stop }: Sweep, points: readonly SweepPoint[]): string[] {
  const count = (number: number): string => `${number} point${number === 1 ? "" : "s"}`;
  const selected = points.length === all.length ? count(all.length) : `${points.length} of ${count(all.length)}`;
  return [
    `${name}: ${selected}, base ${base}`,
    `compared by ${metric.name}, the ${metric.goal === "max" ? "largest" : "smallest"} is the best`,
    ...(stop === null ? [] : [stopText(stop, metric)]),
  ];
}

function stopText(stop: StopRule, { name, goal }: Sweep["metric"]): string {
  if (stop.rule === "halving") {
    const percent = Number((100 * stop.keep).toFixed(1));
    return `stopped early: after epoch ${stop.epochs.join(", ")} the best ${percent} % go on`;
  }
  const marks = stop.floors.map(({ epoch, value }) => `${value} after epoch ${epoch}`).join(", ");
  return `stopped early: ${name} ${goal === "max" ? "below" : "above"} ${marks}`;
}
