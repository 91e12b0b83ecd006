/** How much memory there is for a process. */
import { totalmem } from "node:os";

/** What this process may use: a container may have less than its machine. */
export function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
