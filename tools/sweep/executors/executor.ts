/** Runs points of a sweep somewhere. Every point is the same command; what came of it is read from its run folder. */
import type { SweepFolders } from "../folders";
import type { Sweep, SweepPoint } from "../sweep";

export interface PointTask {
  readonly point: SweepPoint;
  /** Program and arguments, the same on every machine that sees the folder: `node …/train.js --run-dir … --resume=auto`. */
  readonly command: readonly string[];
  readonly runDirectory: string;
}

/** How the process of a task ended; whether its training is done, its run folder says. */
export interface TaskEnd {
  readonly name: string;
  /** Null where a signal or the scheduler ended it, or where it is not known. */
  readonly exitCode: number | null;
  /** In words, where it did not end by itself: `killed by SIGKILL`, `slurm: TIMEOUT`. */
  readonly why: string | null;
}

export interface ExecutorContext {
  readonly sweep: Sweep;
  readonly folders: SweepFolders;
  /** A line for the person at the terminal. */
  readonly note: (line: string) => void;
  /** What the executor knows of a task beyond its run folder: `queued`, `on node-3`, `requeued`. */
  readonly status: (name: string, status: string) => void;
  /** Told as each task ends, so that results are gathered while others go on. */
  readonly ended: (end: TaskEnd) => void;
  /** The person wants to stop: running tasks are asked to save and end. */
  readonly stop: AbortSignal;
}

export interface Executor {
  readonly name: "local" | "slurm" | "kubernetes" | "ray";
  /** The person wants to stop, for the second time: running tasks end at once, with what they last saved. */
  readonly kill?: () => void;
  /** Resolves when no task runs any more; one that failed never keeps others from running. */
  run(tasks: readonly PointTask[], context: ExecutorContext): Promise<readonly TaskEnd[]>;
}
