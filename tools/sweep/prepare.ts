/** Makes points ready to run: compiles, type-checks and bundles them all, and records of which point each run will be. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import { compileMany } from "../../compiler/compile-many";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import { editedFiles } from "../../compiler/output/edits";
import { editedFilesDiagnostic } from "../../compiler/output/edits-text";
import { writeTrainers } from "../../compiler/output/write-many";
import { appendEvent } from "../../runtime/report/jsonl";
import { runFolder, type SweepFolders, trainerFolder } from "./folders";
import { recordOf, recordRun } from "./record";
import type { Sweep, SweepPoint } from "./sweep";

export interface PreparedPoint {
  readonly point: SweepPoint;
  /** Steps of one epoch, and of the whole training. */
  readonly stepsPerEpoch: number;
  readonly steps: number;
}

export interface Prepared {
  readonly ready: readonly PreparedPoint[];
  /** Points that the compiler could not make a trainer of: its fault, never the spec's. */
  readonly faults: readonly { readonly point: SweepPoint; readonly error: Error }[];
}

export interface PrepareOptions {
  readonly folders: SweepFolders;
  /** Hash of the generator, for point.json. */
  readonly generator: string;
  /** How many points are done. */
  readonly progress?: (done: number) => void;
}

/** So many are held in memory at once: a hundred thousand lines of generated code and their bundles. */
const atOnce = 24;

/** One problem for every point whose trainer was edited by hand: it would be trained as nobody asked for. */
export function editedPoints(
  sweep: Sweep,
  points: readonly SweepPoint[],
  folders: SweepFolders,
): readonly Diagnostic[] {
  return points.flatMap((point) => {
    const folder = trainerFolder(folders, sweep, point);
    const edited = editedFiles(folder);
    const instead = "Remove the folder to discard it, or name another with --out.";
    return edited.length === 0 ? [] : [editedFilesDiagnostic(folder, edited, instead)];
  });
}

/** Writes `<out>/<sweep>/<point>/` and `<runs>/<sweep>/<point>/point.json`. One that fails never hides the others. */
export async function preparePoints(
  sweep: Sweep,
  points: readonly SweepPoint[],
  options: PrepareOptions,
): Promise<Prepared> {
  const { folders, generator } = options;
  const ready: PreparedPoint[] = [];
  const faults: Prepared["faults"][number][] = [];
  for (let from = 0; from < points.length; from += atOnce) {
    const part = points.slice(from, from + atOnce);
    const results = compileMany(part.map((point) => inputOf(sweep, point, folders)));
    const compiled = results.flatMap((result) => (result.ok ? [{ ...result, point: result.input.point }] : []));
    for (const result of results) {
      if (!result.ok) faults.push({ point: result.input.point, error: result.error });
    }
    const trainers = compiled.map((each) => each.compiled);
    // What a person has edited was looked for before the first of them.
    await writeTrainers(join(folders.out, sweep.name), trainers, { force: true });
    for (const { point, compiled: made } of compiled) {
      recordRun(runFolder(folders, sweep, point), recordOf(sweep, point, generator));
      const { optimizer, schedule } = made.plan.experiment;
      ready.push({ point, stepsPerEpoch: optimizer.stepsPerEpoch, steps: schedule.steps });
    }
    options.progress?.(Math.min(from + atOnce, points.length));
  }
  for (const { point, error } of faults) recordFault(sweep, point, error, options);
  return { ready, faults };
}

/** What the compiler of many takes for a point. */
export function inputOf(sweep: Pick<Sweep, "name">, point: SweepPoint, folders: SweepFolders) {
  return {
    point,
    spec: point.spec,
    hash: point.hash,
    folder: resolve(trainerFolder(folders, sweep, point)),
    dataFolder: point.dataFolder,
  };
}

/** The state of a point is in its run folder, also where it came to no run. */
function recordFault(sweep: Sweep, point: SweepPoint, error: Error, { folders, generator }: PrepareOptions): void {
  const folder = runFolder(folders, sweep, point);
  recordRun(folder, recordOf(sweep, point, generator));
  const time = new Date().toISOString();
  appendEvent(join(folder, "log.jsonl"), { event: "end", step: 0, reason: "failed", message: error.message, time });
}

/** Out of the way of a new run, and never deleted; gives the new name. */
export function moveAside(folder: string): string {
  for (let number = 1; ; number++) {
    const aside = `${folder}.${number}`;
    if (existsSync(aside)) continue;
    mkdirSync(join(folder, ".."), { recursive: true });
    renameSync(folder, aside);
    return aside;
  }
}
