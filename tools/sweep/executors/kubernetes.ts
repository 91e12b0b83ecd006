/** Points of a sweep as one Indexed Job of Kubernetes: docs/clusters.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { joinsHostsWithoutMpi } from "../../../compiler/spec/hardware-rules";
import { sweepFolder } from "../folders";
import type { Executor, ExecutorContext, PointTask, TaskEnd } from "./executor";
import { jobFiles, jobName } from "./kubernetes-job";
import type { KubernetesOptions } from "./kubernetes-options";
import { type JobStates, jobStates, ofPoints } from "./kubernetes-states";
import { needsOf, needsOfAll, type PointNeeds } from "./needs";
import { type PollPace, sleep, usualPace, waitMs } from "./poll";
import { ExecutorRefused } from "./refused";
import { shellWord } from "./shell";
import { runTool, type Tool } from "./tool";

export { parseOptions } from "./kubernetes-options";

export interface KubernetesExecutorSettings extends KubernetesOptions {
  /** Points at a time; null = all. */
  readonly jobs: number | null;
  readonly tool?: Tool;
  readonly pace?: PollPace;
  readonly nowMs?: () => number;
  readonly workingDirectory?: string;
}

export function kubernetesExecutor(settings: KubernetesExecutorSettings): Executor {
  const tool = settings.tool ?? runTool;
  const followed: SubmittedJob[] = [];
  return {
    name: "kubernetes",
    run: (tasks, context) => runOnKubernetes(tasks, context, { ...settings, tool, followed }),
    kill: () => {
      for (const { job, namespace } of followed) {
        const how = ["--grace-period=0", "--force", "--wait=false", ...inNamespace(namespace)];
        void tool("kubectl", ["delete", "pods", "--selector", podsOf(job), ...how]);
      }
    },
  };
}

/** A Job of this sweep; its pods are the points in their order, each so many times as it has hosts. */
interface SubmittedJob {
  readonly job: string;
  readonly namespace: string | null;
  readonly points: readonly string[];
  readonly hosts: number;
}

async function runOnKubernetes(
  tasks: readonly PointTask[],
  context: ExecutorContext,
  settings: KubernetesExecutorSettings & { readonly tool: Tool; readonly followed: SubmittedJob[] },
): Promise<readonly TaskEnd[]> {
  const { namespace, apply, tool, followed: jobs } = settings;
  const folder = join(sweepFolder(context.folders, context.sweep), "kubernetes");
  const earlier = apply ? await earlierJob(folder, tool) : null;
  const covered = new Set(earlier?.points);
  const rest = tasks.filter(({ point }) => !covered.has(point.name));
  if (earlier !== null) {
    jobs.push(earlier);
    context.note(`Job ${earlier.job} of an earlier call is still there: its points are followed, not submitted again.`);
  }
  if (rest.length > 0 && !context.stop.aborted) {
    const job = { job: jobName(context.sweep.name, (settings.nowMs ?? Date.now)()), namespace };
    const { file, hosts } = writeJob(job.job, rest, context, settings, folder);
    const command = ["apply", "--filename", file];
    if (!apply) {
      context.note(`wrote ${file}: ${rest.length} points. Hand it to the cluster with: ${kubectlLine(command)}`);
      return [];
    }
    await submit(command, tool);
    const submitted = { ...job, points: rest.map(({ point }) => point.name), hosts };
    writeFileSync(join(folder, recordName), `${JSON.stringify(submitted, null, 2)}\n`);
    context.note(`submitted Job ${job.job}: ${rest.length} points (${file})`);
    jobs.push(submitted);
  }
  const wanted = new Set(tasks.map(({ point }) => point.name));
  const pace = settings.pace ?? usualPace;
  return (await Promise.all(jobs.map((job) => follow(job, wanted, context, { tool, pace })))).flat();
}

const recordName = "job.json";
const podsOf = (job: string): string => `batch.kubernetes.io/job-name=${job}`;
const kubectlLine = (args: readonly string[]): string => ["kubectl", ...args.map(shellWord)].join(" ");
const inNamespace = (namespace: string | null): readonly string[] =>
  namespace === null ? [] : ["--namespace", namespace];

function writeJob(
  job: string,
  tasks: readonly PointTask[],
  { sweep }: ExecutorContext,
  settings: KubernetesExecutorSettings,
  folder: string,
): { readonly file: string; readonly hosts: number } {
  const workingDirectory = settings.workingDirectory ?? process.cwd();
  const needs = needsOfAll(tasks);
  const { hosts, cards } = podsFor(tasks, needs.cards, settings.gpus);
  const files = jobFiles({
    ...settings,
    name: job,
    sweepName: sweep.name,
    workingDirectory,
    folder,
    tasks,
    hosts,
    needs: { ...needs, cards },
  });
  for (const { path, text } of [files.job, ...files.others]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return { file: files.job.path, hosts };
}

/**
 * `--gpus` is what a pod has: more than its point takes, where a node has more, or a part of it, where several pods share a
 * point. Throws E546.
 */
function podsFor(
  tasks: readonly PointTask[],
  needed: PointNeeds["cards"],
  gpus: number | null,
): { readonly hosts: number; readonly cards: PointNeeds["cards"] } {
  if (gpus === null || needed?.kind === "TPU") return { hosts: 1, cards: needed };
  const most = needed?.count ?? 0;
  if (gpus >= most) return { hosts: 1, cards: gpus === 0 ? null : { kind: "GPU", count: gpus } };
  const counts = tasks.map(({ point }) => needsOf(point.spec).cards?.count ?? 0);
  const cannot = tasks.find(({ point }) => !joinsHostsWithoutMpi(point.spec.hardware));
  const largest = tasks[counts.indexOf(most)];
  const refused = (task: PointTask | undefined, why: Parameters<typeof errors.podHasTooFewGpus>[0]["why"]): Error =>
    new ExecutorRefused(errors.podHasTooFewGpus({ point: task?.point.name ?? "?", wanted: most, gpus, why }));
  if (cannot !== undefined) throw refused(cannot, "no MPI");
  if (gpus === 0 || most % gpus !== 0) throw refused(largest, "does not divide");
  if (counts.some((count) => count !== most)) throw refused(largest, "other points want others");
  return { hosts: most / gpus, cards: { kind: "GPU", count: gpus } };
}

async function submit(command: readonly string[], tool: Tool): Promise<void> {
  const result = await tool("kubectl", command);
  if (result === null) {
    const hint = `Without --apply the Job is only written; then, where kubectl is: ${kubectlLine(command)}`;
    throw new ExecutorRefused(errors.toolMissing({ tool: "kubectl", executor: "kubernetes", hint }));
  }
  if (result.exitCode === 0) return;
  const said = (result.stderr || result.stdout).trim().split("\n").join("; ");
  throw new ExecutorRefused(errors.submissionRefused({ executor: "kubectl", said, hint: null }));
}

/** The Job of an earlier call, with the points that it still has to do; null where it is over, or gone. */
async function earlierJob(folder: string, tool: Tool): Promise<SubmittedJob | null> {
  const record = readRecord(join(folder, recordName));
  const states = record === null ? null : await statesOf(record, tool);
  if (record === null || states === null || states === "gone" || states.over !== null) return null;
  return { ...record, points: record.points.map((point, index) => (states.ended.has(index) ? "" : point)) };
}

function readRecord(path: string): SubmittedJob | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  if (!("job" in value && "namespace" in value && "points" in value)) return null;
  const { job, namespace, points } = value;
  if (typeof job !== "string" || !(namespace === null || typeof namespace === "string")) return null;
  if (!Array.isArray(points) || !points.every((point): point is string => typeof point === "string")) return null;
  const hosts = "hosts" in value && typeof value.hosts === "number" ? value.hosts : 1;
  return { job, namespace, points, hosts };
}

/** Null where the cluster does not answer. */
async function statesOf({ job, namespace, hosts }: SubmittedJob, tool: Tool): Promise<JobStates | "gone" | null> {
  const where = [...inNamespace(namespace), "--output", "json"];
  const found = await tool("kubectl", ["get", "job", job, ...where]);
  if (found === null || found.exitCode !== 0) return /NotFound/.test(found?.stderr ?? "") ? "gone" : null;
  const pods = await tool("kubectl", ["get", "pods", "--selector", podsOf(job), ...where]);
  if (pods === null || pods.exitCode !== 0) return null;
  try {
    return ofPoints(jobStates(JSON.parse(found.stdout), JSON.parse(pods.stdout)), hosts);
  } catch {
    return null;
  }
}

async function follow(
  submitted: SubmittedJob,
  wanted: ReadonlySet<string>,
  context: ExecutorContext,
  { tool, pace }: { readonly tool: Tool; readonly pace: PollPace },
): Promise<readonly TaskEnd[]> {
  const ends = new Map<number, TaskEnd>();
  const said = new Map<number, string>();
  const points = [...submitted.points.entries()].filter(([, point]) => wanted.has(point));
  let deleted = false;
  let answers = true;
  for (let poll = 0; ends.size < points.length; poll += 1) {
    if (context.stop.aborted && !deleted) {
      deleted = true;
      context.note(`Deleting Job ${submitted.job}: its pods are asked to save and end.`);
      const how = ["--cascade=foreground", "--wait=true", ...inNamespace(submitted.namespace)];
      await tool("kubectl", ["delete", "job", submitted.job, ...how]);
    }
    if (!deleted) await sleep(waitMs(pace, poll), context.stop);
    const states = await statesOf(submitted, tool);
    if (states === null && answers)
      context.note("The cluster does not answer; the points go on, and it is asked again.");
    answers = states !== null;
    if (states === null && deleted) await sleep(pace.lastMs, new AbortController().signal);
    if (states === null) continue;
    for (const [index, point] of points) {
      if (ends.has(index)) continue;
      const over = states === "gone" ? "the Job was deleted" : states.over;
      const end = states === "gone" ? undefined : states.ended.get(index);
      if (end !== undefined || over !== null) {
        const told = { name: point, ...(end ?? { exitCode: null, why: `kubernetes: ${over}` }) };
        ends.set(index, told);
        context.ended(told);
        continue;
      }
      const status = states === "gone" ? undefined : states.statuses.get(index);
      if (status === undefined || said.get(index) === status.text) continue;
      said.set(index, status.text);
      context.status(point, status.text);
      if (status.isStuck) context.note(`${point}: its pod does not start: ${status.text}`);
    }
  }
  return [...ends.values()];
}
