/** What Slurm says of the tasks of a job array, and what that means for a sweep. */
import { constants } from "node:os";

export interface SlurmTask {
  /** Index in the array. */
  readonly index: number;
  /** Such as RUNNING; see "JOB STATE CODES" of squeue(1). */
  readonly state: string;
  /** The status that wait(2) gave for the batch script; 0 while it runs. */
  readonly waitStatus: number;
  readonly restarts: number;
  readonly node: string;
  /** Why it waits, or why it ended. */
  readonly reason: string;
}

/** Fields of fixed width: older versions of squeue know no other form. */
const columns = [
  ["ArrayTaskID", 24],
  ["State", 24],
  ["exit_code", 16],
  ["RestartCnt", 12],
  ["NodeList", 64],
  ["Reason", 160],
] as const;

export const squeueArguments = (job: string): readonly string[] => [
  "--noheader",
  "--array",
  "--states=all",
  `--jobs=${job}`,
  `--Format=${columns.map(([name, width]) => `${name}:${width}`).join(",")}`,
];

/** Tasks that were cancelled before they began are no tasks any more: their line has no index, and is left out. */
export function squeueTasks(stdout: string): readonly SlurmTask[] {
  return stdout.split("\n").flatMap((line) => {
    let at = 0;
    const [index = "", state = "", status = "", restarts = "", node = "", reason = ""] = columns.map(([, width]) => {
      at += width;
      return line.slice(at - width, at).trim();
    });
    if (!/^\d+$/.test(index) || state === "") return [];
    const task = { index: Number(index), state, waitStatus: waitStatusOf(status), restarts: Number(restarts) };
    return [{ ...task, node, reason: reason === "None" ? "" : reason }];
  });
}

/** squeue prints the number as it is, sacct prints `code:signal`. */
function waitStatusOf(text: string): number {
  const [code, signal] = text.split(":");
  return signal === undefined ? Number(code) : Number(code) * 256 + Number(signal);
}

export const sacctArguments = (job: string): readonly string[] => [
  "--noheader",
  "--parsable2",
  "--allocations",
  `--jobs=${job}`,
  "--format=JobID,State,ExitCode,NodeList",
];

/** Where accounting runs, it still knows what squeue has forgotten. */
export function sacctTasks(stdout: string): readonly SlurmTask[] {
  return stdout.split("\n").flatMap((line) => {
    const [id = "", state = "", status = "0:0", node = ""] = line.split("|");
    const index = /^\d+_(\d+)$/.exec(id)?.[1];
    if (index === undefined) return [];
    // `CANCELLED by 1000`
    const [word = ""] = state.split(" ");
    return [{ index: Number(index), state: word, waitStatus: waitStatusOf(status), restarts: 0, node, reason: "" }];
  });
}

const endStates: readonly string[] = [
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "LAUNCH_FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "RECONFIG_FAIL",
  "REVOKED",
  "TIMEOUT",
];

/** Null while it waits, runs, or will be begun anew. */
export function endOf(task: SlurmTask): { readonly exitCode: number | null; readonly why: string | null } | null {
  if (!endStates.includes(task.state)) return null;
  if (task.state === "COMPLETED") return { exitCode: 0, why: null };
  const signal = task.waitStatus & 127;
  if (task.state !== "FAILED") {
    return { exitCode: null, why: `slurm: ${task.state}${detail(task)}` };
  }
  if (signal !== 0) return { exitCode: null, why: `killed by ${signalName(signal)}` };
  const exitCode = task.waitStatus >> 8;
  return exitCode === 0 ? { exitCode: null, why: `slurm: FAILED${detail(task)}` } : { exitCode, why: null };
}

/** The words for the table: `queued (Resources)`, `on node-3`. */
export function statusOf(task: SlurmTask): string {
  const again = task.restarts === 0 ? "" : `, restart ${task.restarts}`;
  switch (task.state) {
    case "PENDING":
      return `${task.restarts === 0 ? "queued" : "requeued"}${detail(task)}${again}`;
    case "RUNNING":
      return `on ${task.node || "a node"}${again}`;
    default:
      return `slurm: ${task.state.toLowerCase()}${detail(task)}${again}`;
  }
}

/** A job that waits in one of these ways never begins unless somebody acts. */
export const isStuck = ({ state, reason }: SlurmTask): boolean =>
  state === "REQUEUE_HOLD" ||
  state === "SPECIAL_EXIT" ||
  /^(JobHeldUser|JobHeldAdmin|DependencyNeverSatisfied|BadConstraints|launch failed requeued held)/.test(reason);

const detail = ({ reason }: SlurmTask): string => (reason === "" ? "" : ` (${reason})`);

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}
