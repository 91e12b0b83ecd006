/** Points of a sweep as jobs of a Ray cluster: docs/clusters.md. */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { modulePath } from "../../../compiler/bundle/module-path";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { sweepFiles } from "../folders";
import type { Executor, ExecutorContext, PointTask, TaskEnd } from "./executor";
import { needsOf } from "./needs";
import { type PollPace, sleep, usualPace, waitMs } from "./poll";
import { type RayClient, type RayJob, type RayJobRequest, rayClient } from "./ray-client";
import type { RayOptions } from "./ray-options";
import { ExecutorRefused } from "./refused";
import { shellWord, shellWords } from "./shell";
import { commandWithThreads } from "./threads";

export { parseOptions } from "./ray-options";

export interface RayExecutorSettings extends RayOptions {
  /** Points at a time; null = all are submitted, and Ray has them wait for room. */
  readonly jobs: number | null;
  readonly client?: RayClient;
  readonly pace?: PollPace;
  readonly workingDirectory?: string;
  readonly nodePath?: string;
}

export function rayExecutor(settings: RayExecutorSettings): Executor {
  const leave = new AbortController();
  return {
    name: "ray",
    run: (tasks, context) => runOnRay(tasks, context, { ...settings, leave: leave.signal }),
    // Ray has no way to end a job that is being stopped; it kills what has not ended after its time.
    kill: () => leave.abort(),
  };
}

/** `leave`: nobody waits for jobs any more. */
type Running = RayExecutorSettings & { readonly leave: AbortSignal };

async function runOnRay(
  tasks: readonly PointTask[],
  context: ExecutorContext,
  settings: Running,
): Promise<readonly TaskEnd[]> {
  const client = settings.client ?? rayClient(settings.address, settings.headers);
  const version = await client.version();
  if (!version.ok) {
    throw new ExecutorRefused(errors.rayUnreachable({ address: settings.address, reason: version.said }));
  }
  context.note(`Ray ${version.value} at ${settings.address}`);
  const waiting = [...tasks];
  const ends: TaskEnd[] = [];
  let refused: ExecutorRefused | null = null;
  const lane = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      if (context.stop.aborted || refused !== null) return;
      try {
        const end = await runPoint(task, context, settings, client);
        ends.push(end);
        context.ended(end);
      } catch (error) {
        if (!(error instanceof ExecutorRefused)) throw error;
        // What Ray refuses for one point it refuses for all; those that run are followed to their end.
        refused = error;
      }
    }
  };
  const lanes = Math.min(settings.jobs ?? tasks.length, tasks.length);
  await Promise.all(Array.from({ length: lanes }, lane));
  if (refused !== null) throw refused;
  return ends;
}

async function runPoint(
  task: PointTask,
  context: ExecutorContext,
  settings: Running,
  client: RayClient,
): Promise<TaskEnd> {
  const { name } = task.point;
  for (;;) {
    const id = await submitOnce(task, settings, client);
    if (id.isEarlier) context.note(`${name}: job ${id.text} of an earlier call goes on, and is followed`);
    const job = await followJob(id.text, name, context, settings, client);
    if (job === "left") return { name, exitCode: null, why: "ray: asked to stop, and left" };
    if (job?.errorType === startTimeout && !context.stop.aborted) {
      context.note(`${name}: Ray gave up waiting for room (15 minutes, unless it was told otherwise); submitted again`);
      continue;
    }
    return { name, ...endOf(job) };
  }
}

/** A job that finds no room in RAY_JOB_START_TIMEOUT_SECONDS fails with this, and has not begun. */
const startTimeout = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT";

/**
 * Jobs of a point are numbered; the first number that is free, or whose job still goes on, is its own. So a call that
 * was cut off between two requests, or a second one beside it, never has a point trained twice.
 */
async function submitOnce(
  task: PointTask,
  settings: RayExecutorSettings,
  client: RayClient,
): Promise<{ readonly text: string; readonly isEarlier: boolean }> {
  for (let number = 1; ; number++) {
    const text = submissionId(task, number, settings.workingDirectory ?? process.cwd());
    const known = await patiently(() => client.job(text), settings.pace ?? usualPace);
    if (!known.ok) throw refusedBy(known.said);
    if (known.value !== null) {
      if (endStates.includes(known.value.status)) continue;
      return { text, isEarlier: true };
    }
    const submitted = await client.submit(jobRequest(task, text, settings));
    if (submitted.ok) return { text, isEarlier: false };
    // The answer may have been lost, or somebody else was quicker: then the job is there.
    const there = await client.job(text);
    if (there.ok && there.value !== null) return { text, isEarlier: false };
    throw refusedBy(submitted.said);
  }
}

const refusedBy = (said: string): ExecutorRefused =>
  new ExecutorRefused(errors.submissionRefused({ executor: "Ray", said, hint: null }));

/** Repeats a request without an answer a few times: dashboards are restarted. */
async function patiently<T extends { readonly ok: boolean }>(ask: () => Promise<T>, pace: PollPace): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    if (answer.ok || attempt === 3) return answer;
    await sleep(waitMs(pace, attempt), neverAborted);
  }
}

/** Names of points are unique in a sweep, not in a cluster: the run folder tells two sweeps of one name apart. */
export function submissionId({ point, runDirectory }: PointTask, number: number, workingDirectory: string): string {
  const folder = createHash("sha256").update(resolve(workingDirectory, runDirectory)).digest("hex").slice(0, 8);
  return `${point.name}-${folder}-${number}`;
}

/** Time that a trainer has to end its step and save; Ray would give it 3 s. */
const stopSeconds = 120;

export function jobRequest(task: PointTask, id: string, settings: RayExecutorSettings): RayJobRequest {
  const { point, runDirectory } = task;
  const { cards, processors } = needsOf(point.spec);
  const cpus = settings.cpus ?? processors ?? 1;
  const output = shellWord(join(runDirectory, sweepFiles.output));
  const command = shellWords(commandWithThreads(task, cpus));
  return {
    // Ray gives this line to /bin/sh, and starts it wherever its agent was started.
    entrypoint: [
      `cd ${shellWord(settings.workingDirectory ?? process.cwd())}`,
      `mkdir -p ${shellWord(dashless(runDirectory))}`,
      `printf '%s\\n' ${shellWord(`$ ${command}`)} >>${output}`,
      `exec ${command} >>${output} 2>&1`,
    ].join(" && "),
    submission_id: id,
    runtime_env: {
      env_vars: { NODE_PATH: settings.nodePath ?? modulePath(), RAY_JOB_STOP_WAIT_TIME_S: String(stopSeconds) },
    },
    metadata: { name: point.name },
    entrypoint_num_cpus: cpus,
    entrypoint_num_gpus: settings.gpus ?? (cards?.kind === "GPU" ? cards.count : 0),
    ...(settings.memory !== null && { entrypoint_memory: settings.memory }),
    ...(settings.resources !== null && { entrypoint_resources: settings.resources }),
  };
}

/** A folder whose name begins with a hyphen would be an option. */
const dashless = (path: string): string => (path.startsWith("-") ? `./${path}` : path);

const endStates: readonly string[] = ["STOPPED", "SUCCEEDED", "FAILED"];
const neverAborted = new AbortController().signal;

/** Resolves to the job when it is over; null where Ray knows nothing of it any more. */
async function followJob(
  id: string,
  name: string,
  context: ExecutorContext,
  { pace = usualPace, leave }: Running,
  client: RayClient,
): Promise<RayJob | null | "left"> {
  let said = "";
  let isAsked = false;
  let answers = true;
  for (let poll = 0; ; poll++) {
    if (context.stop.aborted && !isAsked) {
      const asked = await client.stop(id);
      isAsked = asked.ok;
      if (isAsked) poll = 0;
    }
    const answer = await client.job(id);
    if (!answer.ok && answers) context.note(`${name}: Ray does not answer (${answer.said}); it is asked again`);
    answers = answer.ok;
    if (answer.ok) {
      const job = answer.value;
      if (job === null || endStates.includes(job.status)) return job;
      const status = job.status === "PENDING" ? "queued" : `on ${job.node || "a node"}`;
      if (status !== said) context.status(name, status);
      said = status;
    }
    if (leave.aborted) return "left";
    await sleep(waitMs(pace, poll), context.stop.aborted ? leave : context.stop);
  }
}

function endOf(job: RayJob | null): { readonly exitCode: number | null; readonly why: string | null } {
  if (job === null) return { exitCode: null, why: "ray: the job was deleted" };
  if (job.status === "SUCCEEDED") return { exitCode: 0, why: null };
  if (job.status === "STOPPED") return { exitCode: job.exitCode, why: "ray: STOPPED" };
  if (job.exitCode !== null) return { exitCode: job.exitCode, why: null };
  const [first = ""] = job.message.trim().split("\n");
  return { exitCode: null, why: `ray: ${first || "FAILED"}` };
}
