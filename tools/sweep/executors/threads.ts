/** Threads of a point on a machine that it shares: as many as processors were reserved for it. */
import type { PointTask } from "./executor";

/** Whether no option sets the threads of a point: its trainer would then take all cores of its machine. */
export const leavesThreads = ({ point, command }: PointTask): boolean =>
  point.spec.hardware.threads === 0 && !command.includes("--threads");

/** The command with as many threads as there are whole processors, unless an option sets their number. */
export const commandWithThreads = (task: PointTask, processors: number): readonly string[] =>
  leavesThreads(task) ? [...task.command, "--threads", String(Math.max(1, Math.floor(processors)))] : task.command;
