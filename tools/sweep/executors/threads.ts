/** Threads of a point on a machine that it shares: as many as processors were reserved for it. */
import type { PointTask } from "./executor";

/** Whether nobody has said how many threads a point has; then the trainer would take all cores of its machine. */
export const leavesThreads = ({ point, command }: PointTask): boolean =>
  point.spec.hardware.threads === 0 && !command.includes("--threads");

/** The command with as many threads as there are whole processors, where nobody else has said how many. */
export const commandWithThreads = (task: PointTask, processors: number): readonly string[] =>
  leavesThreads(task) ? [...task.command, "--threads", String(Math.max(1, Math.floor(processors)))] : task.command;
