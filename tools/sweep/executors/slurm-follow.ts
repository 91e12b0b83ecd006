/** Follows job arrays until none of their tasks waits or runs any more. */
import type { ExecutorContext, TaskEnd } from "./executor";
import { type PollPace, sleep, waitMs } from "./poll";
import {
  endOf,
  isStuck,
  type SlurmTask,
  sacctArguments,
  sacctTasks,
  squeueArguments,
  squeueTasks,
  statusOf,
} from "./slurm-states";
import type { Tool } from "./tool";

/** A job array of a sweep: task n of the job is the nth point. A point whose name is empty is of no interest. */
export interface SubmittedArray {
  readonly job: string;
  readonly points: readonly string[];
}

/** A point that may still wait or run. */
interface Open {
  readonly job: string;
  readonly index: number;
  readonly name: string;
}

const idOf = ({ job, index }: Open): string => `${job}_${index}`;

interface How {
  readonly tool: Tool;
  readonly pace: PollPace;
  /** Kept up to date: the tasks that may still wait or run, as Slurm calls them. */
  readonly open: Set<string>;
}

/** Only points that are wanted are followed, and cancelled. */
export async function followArrays(
  arrays: readonly SubmittedArray[],
  wanted: ReadonlySet<string>,
  context: ExecutorContext,
  { tool, pace, open: ids }: How,
): Promise<readonly TaskEnd[]> {
  const ends: TaskEnd[] = [];
  const status = statusTeller(context);
  let open: readonly Open[] = arrays.flatMap(({ job, points }) =>
    points.flatMap((name, index) => (wanted.has(name) ? [{ job, index, name }] : [])),
  );
  let cancelled = false;
  let answers = true;
  for (let poll = 0; open.length > 0; poll += 1) {
    ids.clear();
    for (const task of open) ids.add(idOf(task));
    if (context.stop.aborted && !cancelled) {
      cancelled = true;
      poll = 0;
      context.note("Cancelling: queued points leave the queue, running ones are asked to save and end.");
      await cancel(open, tool);
    }
    await sleep(waitMs(pace, poll), cancelled ? neverAborted : context.stop);
    const still: Open[] = [];
    for (const job of new Set(open.map((task) => task.job))) {
      const mine = open.filter((task) => task.job === job);
      const states = await statesWithAccounts(job, mine, tool);
      if (states === null && answers) context.note("squeue does not answer; the points go on, and it is asked again.");
      answers = states !== null;
      if (states === null) {
        still.push(...mine);
        continue;
      }
      for (const task of mine) {
        const state = states.get(task.index);
        const end = state === undefined ? { exitCode: null, why: cancelled ? "slurm: CANCELLED" : null } : endOf(state);
        if (end === null) still.push(task);
        else ends.push({ name: task.name, ...end });
        if (end !== null) context.ended({ name: task.name, ...end });
        else if (state !== undefined) status(task, state);
      }
    }
    open = still;
  }
  ids.clear();
  return ends;
}

const neverAborted = new AbortController().signal;

/** Tells what is new, once. */
function statusTeller(context: ExecutorContext): (task: Open, state: SlurmTask) => void {
  const said = new Map<string, string>();
  return ({ job, index, name }, state) => {
    const status = statusOf(state);
    if (said.get(name) === status) return;
    said.set(name, status);
    context.status(name, status);
    if (isStuck(state))
      context.note(`${name} is ${status} and does not begin by itself: scontrol show job ${job}_${index}`);
  };
}

/** Null where Slurm does not answer; empty where it knows nothing of the job any more. */
export async function statesOf(job: string, tool: Tool): Promise<readonly SlurmTask[] | null> {
  const result = await tool("squeue", squeueArguments(job));
  if (result?.exitCode === 0) return squeueTasks(result.stdout);
  return result !== null && /invalid job id/i.test(result.stderr) ? [] : null;
}

/** By index. squeue forgets a task a while after its end; where accounting runs, sacct does not. */
async function statesWithAccounts(
  job: string,
  tasks: readonly Open[],
  tool: Tool,
): Promise<ReadonlyMap<number, SlurmTask> | null> {
  const states = await statesOf(job, tool);
  if (states === null) return null;
  const known = new Map(states.map((state) => [state.index, state]));
  if (tasks.every(({ index }) => known.has(index))) return known;
  const accounts = await tool("sacct", sacctArguments(job));
  const ended = accounts?.exitCode === 0 ? sacctTasks(accounts.stdout) : [];
  return new Map([...ended.map((state) => [state.index, state] as const), ...known]);
}

/**
 * A plain scancel kills what has not ended after KillWait (30 s as a rule), and a step of a large model takes longer. A
 * SIGTERM alone lets the trainer end its step and save. With `--batch` it goes to the batch script, whose process the
 * trainer is.
 */
async function cancel(tasks: readonly Open[], tool: Tool): Promise<void> {
  const ids = tasks.map(idOf);
  await tool("scancel", ["--quiet", "--state=PENDING", ...ids]);
  await tool("scancel", ["--quiet", "--batch", "--signal=TERM", ...ids]);
}
