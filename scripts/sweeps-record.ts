/**
 * Keeps what sweeps came to, group by group and seed by seed, for a page of the docs:
 *
 *   npx tsx scripts/sweeps-record.ts docs/ablations.json runs/masking/results.json runs/target-count/results.json
 *
 * Groups of a sweep that the file has already are replaced, others are kept: a sweep may be recorded part by part.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { build } from "../compiler/build";
import { factsOf } from "../compiler/step/facts";
import { loadSweep } from "../tools/sweep/load";

/** What one group of points came to; the points differ in their seeds alone. */
export interface SweptGroup {
  /** Of the axes, in their order. */
  readonly labels: readonly string[];
  readonly epochs: number;
  /** Operations of the whole training, as `ijepa inspect` counts them. */
  readonly flops: number;
  /** Values of each metric by seed, those of the last evaluation; accuracies are shares. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  /** By epoch, the mean over seeds. */
  readonly curves: Readonly<Record<string, readonly (readonly [epoch: number, value: number])[]>>;
}

export interface SweptRecord {
  readonly sweep: string;
  /** Relative to the root of the project. */
  readonly grid: string;
  readonly engine: string;
  /** When the last of them ended. */
  readonly date: string;
  readonly seeds: readonly number[];
  readonly groups: readonly SweptGroup[];
}

/** As much of results.json (docs/results.md) as is read here. */
interface Results {
  readonly sweep: { readonly name: string; readonly file: string; readonly seeds: readonly number[] };
  readonly points: readonly {
    readonly group: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly seed: number;
    readonly stepsDone: number;
    readonly steps: number;
    readonly epochs: number;
    /** Null of a point that did not begin. */
    readonly engine: string | null;
    readonly metrics: Readonly<Record<string, { readonly epoch: number; readonly value: number }>>;
    readonly curves: Readonly<Record<string, readonly { readonly epoch: number; readonly value: number }[]>>;
  }[];
}

/** It was trained and evaluated to its end, be it by another version of the generator since. */
function isWhole({ stepsDone, steps, epochs, metrics }: Results["points"][number]): boolean {
  return stepsDone === steps && Object.values(metrics).every(({ epoch }) => epoch === epochs);
}

/** Groups of which every point has finished; `flopsOf` takes the name of a group. */
export function sweptRecord(
  { sweep, points }: Results,
  { date, flopsOf }: { readonly date: string; readonly flopsOf: (group: string) => number },
): SweptRecord {
  const names = [...new Set(points.map(({ group }) => group))];
  const groups = names.flatMap((name): SweptGroup[] => {
    const own = points.filter(({ group }) => group === name);
    const [first] = own;
    if (first === undefined || !own.every(isWhole)) return [];
    const metrics = Object.keys(first.metrics);
    const valuesOf = (metric: string) => own.map((point) => present(point.metrics[metric], metric).value);
    const curveOf = (metric: string) =>
      present(first.curves[metric], metric).map(({ epoch }, i): [number, number] => {
        const values = own.map(({ curves }) => present(curves[metric]?.[i], metric).value);
        return [epoch, values.reduce((sum, value) => sum + value, 0) / values.length];
      });
    return [
      {
        labels: Object.values(first.labels),
        epochs: first.epochs,
        flops: flopsOf(name),
        metrics: Object.fromEntries(metrics.map((metric) => [metric, valuesOf(metric)])),
        curves: Object.fromEntries(metrics.map((metric) => [metric, curveOf(metric)])),
      },
    ];
  });
  const engine = points.map((point) => point.engine).find((one) => one !== null);
  return { sweep: sweep.name, grid: sweep.file, engine: present(engine, "engine"), date, seeds: sweep.seeds, groups };
}

/** The records of a file with a new one in them. */
export function joined(records: readonly SweptRecord[], added: SweptRecord): readonly SweptRecord[] {
  const before = records.find(({ sweep }) => sweep === added.sweep);
  const isNew = ({ labels }: SweptGroup) => added.groups.some((group) => group.labels.join() === labels.join());
  const groups = [...(before?.groups.filter((group) => !isNew(group)) ?? []), ...added.groups];
  const all = [...records.filter((record) => record !== before), { ...added, groups }];
  return all.sort((a, b) => a.sweep.localeCompare(b.sweep));
}

export function sweptRecords(file: string): readonly SweptRecord[] {
  // Written below, from this type.
  return JSON.parse(readFileSync(file, "utf8")) as readonly SweptRecord[];
}

/** The labels of the scenes, by which groups are judged. */
export const tasks = ["shape", "count", "distance"] as const;

/** Of a group, by seed; accuracies in percent. */
export function valuesOf({ labels, metrics }: SweptGroup, metric: string): readonly number[] {
  const values = metrics[metric];
  if (values === undefined) throw new Error(`the group ${labels.join(" ")} has no ${metric}`);
  return /\.(linearProbe|knn)$/.test(metric) ? values.map((value) => 100 * value) : values;
}

/** The mean over the tasks of one accuracy, in percent, by seed. */
export function meansOfTasks(group: SweptGroup, measure: "linearProbe" | "knn"): readonly number[] {
  const [first = [], ...others] = tasks.map((task) => valuesOf(group, `${task}.${measure}`));
  return first.map((value, seed) => others.reduce((sum, values) => sum + (values[seed] ?? 0), value) / tasks.length);
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the results of a point lack ${what}`);
  return value;
}

function flopsIn(grid: string): (group: string) => number {
  const loaded = loadSweep(grid);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));
  return (group) => {
    const point = present(
      loaded.sweep.points.find((one) => one.group === group),
      `the group ${group}`,
    );
    const { step, plan } = build({ spec: point.spec, hash: point.hash });
    return factsOf(step, plan).flopsInAll;
  };
}

function record([file, ...results]: readonly string[]): void {
  if (file === undefined) throw new Error("which file?");
  const date = new Date().toISOString().slice(0, 10);
  const records = results.reduce<readonly SweptRecord[]>(
    (before, path) => {
      const read = JSON.parse(readFileSync(path, "utf8")) as Results;
      return joined(before, sweptRecord(read, { date, flopsOf: flopsIn(read.sweep.file) }));
    },
    existsSync(file) ? sweptRecords(file) : [],
  );
  writeFileSync(file, `${JSON.stringify(records, null, 2)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) record(process.argv.slice(2));
