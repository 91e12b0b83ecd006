/** Threads of a point on a machine that it shares: as many as processors were reserved for it. */
import type { PointTask } from "./executor";
import { needsOf } from "./needs";

/** Whether no option sets the threads of a point: its trainer would then take all cores of its machine. */
export const leavesThreads = ({ point, command }: PointTask): boolean =>
  point.spec.hardware.threads === 0 && !command.includes("--threads");

/** The threads of a device where a point has so many processors: its ranks divide them. */
export const threadsOf = ({ point }: Pick<PointTask, "point">, processors: number): number =>
  Math.max(1, Math.floor(processors / needsOf(point.spec).processorShares));

/** The command with as many threads as there are whole processors for a device, unless an option sets their number. */
export const commandWithThreads = (task: PointTask, processors: number): readonly string[] =>
  leavesThreads(task) ? [...task.command, "--threads", String(threadsOf(task, processors))] : task.command;
