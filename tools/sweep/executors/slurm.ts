/** Points of a sweep as one job array of Slurm: docs/clusters.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { modulePath } from "../../../compiler/bundle/module-path";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { sweepFolder } from "../folders";
import type { Executor, ExecutorContext, PointTask, TaskEnd } from "./executor";
import { needsOfAll } from "./needs";
import { type PollPace, usualPace } from "./poll";
import { ExecutorRefused } from "./refused";
import { arrayFiles, sbatchArguments } from "./slurm-array";
import { followArrays, type SubmittedArray, statesOf } from "./slurm-follow";
import { endOf } from "./slurm-states";
import { runTool, type Tool } from "./tool";

export interface SlurmOptions {
  /** What goes to sbatch as it is. */
  readonly sbatch: readonly string[];
}

/** All that follows `--` is for sbatch; what this executor must say itself is refused. */
export function parseOptions(args: readonly string[]): SlurmOptions {
  for (const option of args) {
    const why = taken.find(({ forms }) => forms.test(option))?.why;
    if (why !== undefined) throw new ExecutorRefused(errors.executorOptionTaken({ executor: "slurm", option, why }));
  }
  return { sbatch: args };
}

const taken: readonly { readonly forms: RegExp; readonly why: string }[] = [
  { forms: /^(--array(=|$)|-a)/, why: "The array has one task for each point; `--jobs` says how many run at a time." },
  { forms: /^--wrap(=|$)/, why: "The script is written by the sweep: runs/<sweep>/slurm/array.sh." },
  { forms: /^(--wait$|-W$)/, why: "The sweep follows its tasks by itself." },
  { forms: /^(--test-only$)/, why: "Look at runs/<sweep>/slurm/array.sh instead." },
  { forms: /^(--chdir(=|$)|-D)/, why: "Paths of a sweep start where it is called; call it from the shared folder." },
];

export interface SlurmExecutorSettings extends SlurmOptions {
  /** So many points at a time; null = as many as the cluster gives. */
  readonly jobs: number | null;
  readonly tool?: Tool;
  readonly pace?: PollPace;
  readonly nodePath?: string;
}

export function slurmExecutor(settings: SlurmExecutorSettings): Executor {
  const tool = settings.tool ?? runTool;
  const open = new Set<string>();
  return {
    name: "slurm",
    run: (tasks, context) => runOnSlurm(tasks, context, { ...settings, tool, open }),
    // A second SIGTERM, then SIGKILL after the KillWait of the cluster.
    kill: () => void tool("scancel", ["--quiet", ...open]),
  };
}

async function runOnSlurm(
  tasks: readonly PointTask[],
  context: ExecutorContext,
  settings: SlurmExecutorSettings & { readonly tool: Tool; readonly open: Set<string> },
): Promise<readonly TaskEnd[]> {
  const { tool, open } = settings;
  const folder = join(sweepFolder(context.folders, context.sweep), "slurm");
  const wanted = new Set(tasks.map(({ point }) => point.name));
  const earlier = await arraysThatLive(folder, tool);
  const covered = new Set(earlier.flatMap(({ points }) => points));
  const rest = tasks.filter(({ point }) => !covered.has(point.name));
  const followed = wanted.size - rest.length;
  if (followed > 0) {
    const jobs = earlier.map(({ job }) => job).join(", ");
    context.note(
      `${followed} of the points wait or run already, in job ${jobs}: they are followed, not submitted again.`,
    );
  }
  const arrays = [...earlier];
  if (rest.length > 0 && !context.stop.aborted) {
    const submitted = await submit(rest, context, settings, { tool, folder });
    arrays.push(submitted);
    writeFileSync(join(folder, recordName), `${JSON.stringify(arrays, null, 2)}\n`);
    context.note(`submitted job array ${submitted.job}: ${rest.length} points (${join(folder, "array.sh")})`);
  }
  return await followArrays(arrays, wanted, context, { tool, pace: settings.pace ?? usualPace, open });
}

const recordName = "arrays.json";

/** Arrays of earlier calls of this sweep, with those of their points that Slurm still has to do. */
async function arraysThatLive(folder: string, tool: Tool): Promise<readonly SubmittedArray[]> {
  const lives: SubmittedArray[] = [];
  for (const array of readRecord(join(folder, recordName))) {
    const states = await statesOf(array.job, tool);
    const points = array.points.map((name, index) => {
      const task = states?.find((state) => state.index === index);
      return task !== undefined && endOf(task) === null ? name : "";
    });
    // A place stays empty where its point is done: the index in the array is the place in the list.
    if (points.some((name) => name !== "")) lives.push({ job: array.job, points });
  }
  return lives;
}

function readRecord(path: string): readonly SubmittedArray[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return []; // None yet, or half of one: then Slurm may get a point twice, whose lock refuses the second.
  }
  return Array.isArray(value) ? value.filter(isSubmittedArray) : [];
}

function isSubmittedArray(value: unknown): value is SubmittedArray {
  if (typeof value !== "object" || value === null || !("job" in value && "points" in value)) return false;
  const { job, points } = value;
  return typeof job === "string" && Array.isArray(points) && points.every((name) => typeof name === "string");
}

async function submit(
  tasks: readonly PointTask[],
  { sweep }: ExecutorContext,
  { jobs, sbatch, nodePath }: SlurmExecutorSettings,
  { tool, folder }: { readonly tool: Tool; readonly folder: string },
): Promise<SubmittedArray> {
  const files = arrayFiles({ sweepName: sweep.name, folder, tasks, nodePath: nodePath ?? modulePath() });
  mkdirSync(join(folder, "tasks"), { recursive: true });
  for (const { path, text } of [files.script, ...files.tasks]) writeFileSync(path, text);
  for (const { runDirectory } of tasks) mkdirSync(runDirectory, { recursive: true });
  const script = files.script.path;
  const args = sbatchArguments({
    sweepName: sweep.name,
    folder,
    script,
    tasks: tasks.length,
    jobs,
    needs: needsOfAll(tasks),
    extra: sbatch,
  });
  const result = await tool("sbatch", args);
  if (result === null) {
    const hint = "Call it on a login node of the cluster, where Slurm's programs are.";
    throw new ExecutorRefused(errors.toolMissing({ tool: "sbatch", executor: "slurm", hint }));
  }
  // `17`, or `17;cluster`
  const job = /^(\d+)(;|$)/m.exec(result.stdout)?.[1];
  if (result.exitCode !== 0 || job === undefined) {
    const said = (result.stderr.trim() || result.stdout.trim() || `sbatch ended with ${result.exitCode}`).split("\n");
    const hint = hints.find(({ said: form }) => form.test(said.join(" ")))?.hint ?? null;
    throw new ExecutorRefused(errors.submissionRefused({ executor: "sbatch", said: said.join("; "), hint }));
  }
  return { job, points: tasks.map(({ point }) => point.name) };
}

const hints: readonly { readonly said: RegExp; readonly hint: string }[] = [
  {
    said: /invalid job array|job array index/i,
    hint: "An array of this cluster has fewer tasks (MaxArraySize): divide the sweep with `--shard`.",
  },
  {
    said: /node configuration is not available|generic resource|\bgres\b/i,
    hint:
      "A point runs on one node, with what its `hardware` asks for (`gpus`, `threads`); say after `--` what the cluster calls " +
      "it, such as `--gres=gpu:a100:8`. A training over several nodes is a job of its own: docs/clusters.md.",
  },
];
