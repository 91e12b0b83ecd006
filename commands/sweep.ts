/** `ijepa sweep GRID.json`: one base experiment with a grid of changes, listed, checked, or trained here or elsewhere. */
import { relative, resolve } from "node:path";
import { annotationLine } from "../compiler/diagnostics/annotations";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { printable } from "../compiler/diagnostics/problem-text";
import { durationText } from "../runtime/report/text";
import { executorNames } from "../tools/sweep/executors/load";
import { ExecutorRefused } from "../tools/sweep/executors/refused";
import { type SweepFolders, sweepFolder } from "../tools/sweep/folders";
import { listSweep } from "../tools/sweep/list";
import { loadSweep } from "../tools/sweep/load";
import { selectPoints } from "../tools/sweep/select";
import type { Sweep, SweepPoint } from "../tools/sweep/sweep";
import { defaultFormat } from "./format";
import { hasColour, printDiagnostics } from "./print";
import type { SetOption } from "./set-option";

export interface SweepOptions extends SetOption {
  readonly list?: boolean;
  readonly check?: boolean;
  readonly results?: boolean;
  readonly format?: string;
  readonly shards?: string;
  readonly jobs?: string;
  readonly threads?: string;
  readonly shard?: string;
  readonly only?: string;
  readonly resume?: boolean;
  readonly executor: string;
  readonly out: string;
  readonly runs: string;
  readonly progress: boolean;
}

/** Resolves to the exit code: 0 all is well, 1 the grid is wrong or points failed, 2 could not run, 130 stopped. */
export async function sweep([file = "", ...flags]: readonly string[], options: SweepOptions): Promise<number> {
  const problem = usageProblem(flags, options);
  if (problem !== null) return refuse([unplaced(null, problem)], options);
  const loaded = loadSweep(file, options.set);
  if (!loaded.ok) return refuse(loaded.diagnostics, options);
  const only = options.only?.split(",").map((name) => name.trim());
  const selected = selectPoints(loaded.sweep, { only, shard: options.shard });
  if (!selected.ok) return refuse(selected.diagnostics, options);
  const folders: SweepFolders = { out: options.out, runs: options.runs };
  const { points } = selected;
  if (options.list === true) return list(loaded.sweep, points, options);
  if (options.check === true) return checkPoints(loaded.sweep, points, folders, options);
  if (options.results === true) return showResults(loaded.sweep, folders);
  return train(loaded.sweep, points, folders, flags, options);
}

function refuse(diagnostics: readonly Diagnostic[], { format }: SweepOptions): number {
  printDiagnostics(diagnostics, format === "github" ? "github" : format === "text" ? "text" : defaultFormat());
  return exitCode(diagnostics);
}

/** What the parser of the command line can not say. */
function usageProblem(flags: readonly string[], options: SweepOptions): ReturnType<typeof errors.badUsage> | null {
  const say = (what: string, hint: string) => errors.badUsage({ what, hint });
  const modes = (["list", "check", "results"] as const).filter((mode) => options[mode] === true);
  if (modes.length > 1) return say(`--${modes.join(" and --")} can not be combined`, "Take one of them.");
  const [mode = null] = modes;
  const formats = mode === "list" ? ["text", "json", "github"] : mode === "check" ? ["text", "github"] : [];
  if (options.format !== undefined && !formats.includes(options.format)) {
    const hint =
      formats.length === 0 ? "It belongs to --list or --check." : `With --${mode} there are ${formats.join(", ")}.`;
    return say(`--format ${options.format} is not possible here`, hint);
  }
  for (const name of ["jobs", "threads", "shards"] as const) {
    const value = options[name];
    if (value !== undefined && !/^[1-9]\d{0,5}$/.test(value)) {
      return say(`--${name} is '${value}'`, "It is a whole number from 1.");
    }
  }
  if (options.shards !== undefined && options.format !== "github") {
    return say("--shards is for --list --format github", "`--shard i/n` runs a part of the points.");
  }
  const executors: readonly string[] = executorNames;
  if (!executors.includes(options.executor)) {
    return say(`there is no executor '${options.executor}'`, `There are ${executors.join(", ")}.`);
  }
  const [first] = flags;
  // Without `--` a second word is a second grid, or a flag that was meant for the trainers.
  if (first !== undefined && !first.startsWith("-")) {
    return say(`unexpected '${first}'`, "One grid at a time; flags for the trainers or the executor follow after --.");
  }
  return null;
}

function list(sweep: Sweep, points: readonly SweepPoint[], { format, shards }: SweepOptions): number {
  const listing = listSweep(sweep, points, {
    format: format === "json" || format === "github" ? format : "text",
    shards: shards === undefined ? undefined : Number(shards),
  });
  if (!listing.ok) {
    printDiagnostics(listing.diagnostics);
    return exitCode(listing.diagnostics);
  }
  process.stdout.write(listing.text);
  return 0;
}

/** Compiles and type-checks every point; nothing is written. */
async function checkPoints(
  sweep: Sweep,
  points: readonly SweepPoint[],
  folders: SweepFolders,
  { format }: SweepOptions,
): Promise<number> {
  const { compileMany } = await import("../compiler/compile-many");
  const { inputOf } = await import("../tools/sweep/prepare");
  const begun = performance.now();
  const faults: { readonly name: string; readonly message: string }[] = [];
  // In parts: what is generated for thousands of points need not be in memory at once.
  for (let from = 0; from < points.length; from += 100) {
    const part = points.slice(from, from + 100).map((point) => inputOf(sweep, point, folders));
    for (const result of compileMany(part)) {
      if (!result.ok) faults.push({ name: result.input.point.name, message: result.error.message });
    }
  }
  for (const { name, message } of faults) {
    if ((format ?? defaultFormat()) === "github") {
      process.stderr.write(annotationLine({ file: sweep.file, line: null, column: null, title: name, message }));
    }
    process.stderr.write(`${printable(name)}: ${message}\n`);
  }
  if (faults.length > 0) {
    process.stderr.write(`${faults.length} of ${points.length} points: a fault of ijepa, not of your grid.\n`);
    return 2;
  }
  const time = durationText(performance.now() - begun);
  process.stdout.write(`${sweep.file}: ${count(points.length)}, each compiled and type-checked, in ${time}\n`);
  return 0;
}

async function showResults(sweep: Sweep, folders: SweepFolders): Promise<number> {
  const { bestText, resultsText, writeResults } = await import("../tools/sweep/results/index");
  const results = writeResults(sweep, folders);
  process.stdout.write(`\n${resultsText(results, { colour: hasColour(process.stdout) })}`);
  const best = bestText(results);
  const folder = relative(".", resolve(sweepFolder(folders, sweep)));
  process.stdout.write(`${best === null ? "" : `\n${best}\n`}\nResults: ${folder}/results.{csv,json,md,html}\n`);
  return 0;
}

async function train(
  sweep: Sweep,
  selected: readonly SweepPoint[],
  folders: SweepFolders,
  flags: readonly string[],
  options: SweepOptions,
): Promise<number> {
  if (sweep.stop?.rule === "halving" && options.shard !== undefined) {
    return refuse([unplaced(sweep.file, errors.halvingElsewhere({ found: `--shard ${options.shard}` }))], options);
  }
  // A reader that has enough (`ijepa sweep … | head`) must not leave the trainers alone.
  process.stdout.removeAllListeners("error");
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const jobs = options.jobs === undefined ? null : Number(options.jobs);
  const { loadExecutor } = await import("../tools/sweep/executors/load");
  const { runSweep } = await import("../tools/sweep/run");
  try {
    const executor = await loadExecutor({ name: options.executor, jobs, args: flags });
    const ran = await runSweep({
      sweep,
      points: selected,
      folders,
      executor,
      jobs,
      threads: options.threads === undefined ? null : Number(options.threads),
      flags: executor.name === "local" ? flags : [],
      resume: options.resume === true,
      progress: options.progress,
      stream: process.stdout,
    });
    if (!ran.ok) return refuse(ran.diagnostics, options);
    if (!ran.followed) return ran.exitCode;
    await showResults(sweep, folders);
    // Those that the person has stopped are no news.
    const failed = ran.exitCode === 1 ? ran.open.filter(({ condition }) => condition.state !== "waiting") : [];
    for (const { name, condition, output } of failed) {
      const [first = ""] = (condition.message ?? "").split("\n");
      const why = [condition.code, first].filter(Boolean).join(": ");
      process.stderr.write(`${printable(`${name}: ${condition.state}, ${why}`)}\n  ${output}\n`);
    }
    if (ran.open.length > 0) {
      const points = `${ran.open.length} of ${count(selected.length)}`;
      process.stderr.write(`${points} are not done. The same command with --resume goes on with them.\n`);
    }
    return ran.exitCode;
  } catch (cause) {
    if (!(cause instanceof ExecutorRefused)) throw cause;
    return refuse([unplaced(null, cause.problem)], options);
  }
}

const count = (points: number): string => `${points} ${points === 1 ? "point" : "points"}`;
