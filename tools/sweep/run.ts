/** Runs the chosen points of a sweep: what is done is left alone, the rest is compiled, trained and gathered. */
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import { generatorHash } from "../../compiler/output/generator";
import { durationText } from "../../runtime/report/text";
import type { Executor, PointTask, TaskEnd } from "./executors/executor";
import { threadsOf } from "./executors/threads";
import { runFolder, type SweepFolders, sweepFiles, sweepFolder } from "./folders";
import { runHalving } from "./halving";
import { type Display, openDisplay } from "./live/display";
import { editedPoints, moveAside, type Prepared, preparePoints } from "./prepare";
import { type PointCondition, stateOf } from "./state";
import { listenForStop, type Stop } from "./stop";
import type { Sweep, SweepPoint } from "./sweep";
import { taskOf } from "./task";

export interface RunSweepOptions {
  readonly sweep: Sweep;
  readonly points: readonly SweepPoint[];
  readonly folders: SweepFolders;
  readonly executor: Executor;
  /** Points at a time; null where the person did not say. */
  readonly jobs: number | null;
  /** Threads of the engine of each; null where the person did not say. */
  readonly threads: number | null;
  /** Flags for every trainer. */
  readonly flags: readonly string[];
  readonly resume: boolean;
  /** A table, where the output is a terminal. */
  readonly progress: boolean;
  readonly stream: NodeJS.WriteStream;
}

export type SweepRun =
  | {
      readonly ok: true;
      readonly exitCode: number;
      readonly open: readonly OpenPoint[];
      /** False where the executor only wrote what somebody else will run. */
      readonly followed: boolean;
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** One that is neither finished nor stopped. */
export interface OpenPoint {
  readonly name: string;
  readonly condition: PointCondition;
  /** Where all that its trainer printed lies. */
  readonly output: string;
}

/** Resolves when nothing runs any more; failed points are part of the result. */
export async function runSweep(options: RunSweepOptions): Promise<SweepRun> {
  const { sweep, points, folders, executor, stream } = options;
  const generator = generatorHash();
  const conditionOf = (point: SweepPoint): PointCondition =>
    stateOf(runFolder(folders, sweep, point), { spec: point.hash, generator });
  const note = (line: string): void => void stream.write(`${line}\n`);

  const halving = sweep.stop?.rule === "halving" ? sweep.stop : null;
  if (halving !== null && executor.name !== "local") {
    return {
      ok: false,
      diagnostics: [unplaced(sweep.file, errors.halvingElsewhere({ found: `--executor ${executor.name}` }))],
    };
  }
  const chosen = chooseWork(options, conditionOf);
  if (!chosen.ok) return chosen;
  const begun = performance.now();
  for (const line of chosen.notes) note(line);
  let prepared: Prepared = { ready: [], faults: [] };
  if (chosen.work.length > 0) {
    prepared = await preparePoints(sweep, chosen.work, { folders, generator });
    const made = `${count(prepared.ready.length)} compiled, type-checked and bundled`;
    note(`${made} in ${durationText(performance.now() - begun)}; runs in ${sweepFolder(folders, sweep)}`);
  }
  const processors = executor.name === "local" ? availableParallelism() / (options.jobs ?? 1) : null;
  const tasks = new Map(
    prepared.ready.map(({ point, ...steps }) => {
      // What the spec says of threads was meant for one run alone on a machine; the person's word goes before both.
      const shared = processors === null || point.spec.hardware.threads > 0 ? null : threadsOf({ point }, processors);
      const own = options.threads ?? shared;
      return [point.name, { task: taskOf(sweep, point, { folders, threads: own, flags: options.flags }), ...steps }];
    }),
  );

  let signal: NodeJS.Signals | null = null;
  let followed = true;
  if (tasks.size > 0) {
    const jobs = executor.name === "local" ? (options.jobs ?? 1) : options.jobs;
    const display = openDisplay({ sweep, points, folders, generator, jobs, stream, table: options.progress });
    const stop = listenForStop({
      asked: (name) => display.note(`${name}: running points finish their step and save. Once more ends them at once.`),
      again: () => executor.kill?.(),
    });
    try {
      const run = (some: readonly PointTask[]) => runTasks(some, options, display, stop);
      if (halving === null) {
        const ends = await run([...tasks.values()].map(({ task }) => task));
        followed = executor.name === "local" || ends.length > 0 || stop.signal.aborted;
      } else {
        const isStopping = (): boolean => stop.signal.aborted;
        const isFailed = (point: SweepPoint): boolean => conditionOf(point).state === "failed";
        await runHalving({
          sweep,
          rule: halving,
          folders,
          points,
          tasks,
          run,
          isStopping,
          isFailed,
          ...display,
        });
      }
    } finally {
      display.close();
      stop.dispose();
      signal = stop.requested();
    }
  }
  const conditions = points.map((point) => ({ point, condition: conditionOf(point) }));
  const isDone = ({ state }: PointCondition): boolean => state === "finished" || state === "stopped";
  const open = conditions
    .filter(({ condition }) => !isDone(condition))
    .map(({ point, condition }) => ({
      name: point.name,
      condition,
      output: join(runFolder(folders, sweep, point), sweepFiles.output),
    }));
  const exitCode = signal !== null ? (signal === "SIGINT" ? 130 : 143) : open.length > 0 ? 1 : 0;
  return { ok: true, exitCode: followed ? exitCode : 0, open, followed };
}

async function runTasks(
  tasks: readonly PointTask[],
  { sweep, folders, executor }: RunSweepOptions,
  display: Display,
  stop: Stop,
): Promise<readonly TaskEnd[]> {
  if (tasks.length === 0 || stop.signal.aborted) return [];
  return await executor.run(tasks, {
    sweep,
    folders,
    note: display.note,
    status: display.status,
    ended: ({ name }) => display.ended(name),
    stop: stop.signal,
  });
}

type Work =
  | { readonly ok: true; readonly work: readonly SweepPoint[]; readonly notes: readonly string[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The points that are to be trained now. Stale runs are moved out of the way. */
function chooseWork(
  { sweep, points, folders, executor, resume }: RunSweepOptions,
  conditionOf: (point: SweepPoint) => PointCondition,
): Work {
  const all = points.map((point) => ({ point, condition: conditionOf(point) }));
  const begun = all.filter(({ condition }) => condition.state !== "waiting");
  const isDone = ({ condition: { state } }: (typeof all)[number]): boolean =>
    state === "finished" || state === "stopped";
  const open = all.filter((each) => !isDone(each)).map(({ point }) => point);
  const edited = editedPoints(sweep, open, folders);
  if (edited.length > 0) return { ok: false, diagnostics: edited };
  if (!resume) {
    if (begun.length === 0) return { ok: true, work: points, notes: [] };
    const states = countsOf(begun.map(({ condition }) => condition.state));
    const problem = errors.runsExist({
      folder: sweepFolder(folders, sweep),
      names: begun.map(({ point }) => point.name),
      states,
    });
    return { ok: false, diagnostics: [unplaced(sweepFolder(folders, sweep), problem)] };
  }
  const stale = all.filter(({ condition }) => condition.state === "stale");
  const busy = stale.flatMap(({ point, condition: { holder, message } }) =>
    holder === null
      ? []
      : [unplaced(sweep.file, errors.pointBusy({ name: point.name, why: message ?? "it is stale", ...holder }))],
  );
  if (busy.length > 0) return { ok: false, diagnostics: busy };
  const notes = stale.map(({ point, condition }) => {
    const aside = moveAside(runFolder(folders, sweep, point));
    return `${point.name}: ${condition.message ?? "stale"}; the earlier run is kept in ${relative(".", aside)}`;
  });
  // A scheduler may know of a run that it goes on by itself; a process of this machine is somebody else's.
  const isElsewhere = ({ state }: PointCondition): boolean => state === "running" && executor.name === "local";
  for (const { point, condition } of all) {
    if (isElsewhere(condition)) notes.push(`${point.name}: left to ${condition.message}, which trains it now`);
  }
  const done = all.filter(isDone);
  if (done.length > 0) {
    notes.push(`${countsOf(done.map(({ condition }) => condition.state))} already: not run again`);
  }
  const work = all
    .filter((each) => !isDone(each))
    .filter(({ condition }) => !isElsewhere(condition))
    .map(({ point }) => point);
  return { ok: true, work, notes };
}

const count = (points: number): string => `${points} ${points === 1 ? "point" : "points"}`;

function countsOf(states: readonly string[]): string {
  return [...new Set(states)].map((state) => `${states.filter((other) => other === state).length} ${state}`).join(", ");
}
