/** Looking through a data set, in parts: a compiler waits for it, a trainer says how far it is and hears of signals meanwhile. */
import { setImmediate as turn } from "node:timers/promises";

/** How far it is. */
export interface Looked {
  readonly images: number;
  /** Folders, shards or files. */
  readonly done: number;
  /** Of how many; null where nobody knows. */
  readonly of: number | null;
}

export type Looking<T> = Generator<Looked, T, void>;

/** At once. */
export function finished<T>(looking: Looking<T>): T {
  for (;;) {
    const next = looking.next();
    if (next.done) return next.value;
  }
}

/** A part in each turn of the event loop. */
export async function finishing<T>(looking: Looking<T>, progress: (looked: Looked) => void): Promise<T> {
  for (;;) {
    const next = looking.next();
    if (next.done) return next.value;
    progress(next.value);
    await turn();
  }
}

/** Nobody waits for a line before this, and then for the next one; in milliseconds. */
const patienceMs = { first: 2000, next: 5000 };

/** Lines for what takes a while; `now` in milliseconds. */
export function lookingLines(
  where: string,
  say: (line: string) => void,
  now: () => number = () => performance.now(),
): (looked: Looked) => void {
  let dueMs = now() + patienceMs.first;
  return ({ images, done, of }) => {
    if (now() < dueMs) return;
    dueMs = now() + patienceMs.next;
    const parts = of === null ? `${done} folders` : `${done} of ${of} files`;
    say(`looking through ${where}: ${images} images in ${parts} up to now`);
  };
}
