/** Files may say that they hold more than any memory has: that is met before it is asked for. */
import { totalmem } from "node:os";
import { fileNotReadable } from "../errors";

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Throws R141 where one tensor is larger than the memory of this machine. */
export function requireMemory(path: string, tensor: string, bytes: number): void {
  const most = totalmem();
  if (bytes <= most) return;
  const why = `its tensor ${tensor} has ${gigabytes(bytes)}, more than the ${gigabytes(most)} of memory of this machine`;
  throw fileNotReadable({ path, why });
}
