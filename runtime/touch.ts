/** A file's time of change, as a sign of life or of use. */
import { utimesSync } from "node:fs";

/** Sets it to now. Nothing happens where that is not possible: a file that may only be read, a network mount that is away for a moment. */
export function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Whoever relies on it touches the file again, or takes it for unused.
  }
}
