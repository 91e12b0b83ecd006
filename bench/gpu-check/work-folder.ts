/** A folder for temporary files on a machine of which nothing is known: /tmp may be missing, full or read-only. */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Compiled programs and the run folders of short trainings take less. */
const ENOUGH_BYTES = 2 ** 30;

/** A new folder in the first place with enough room, or else in the one with the most; null where none can be written. */
export function workFolder(besides: readonly string[]): string | null {
  const places = [tmpdir(), "/tmp", "/var/tmp", "/dev/shm", ...besides];
  const made = [...new Set(places)].flatMap((place) => {
    const folder = madeIn(place);
    return folder === null ? [] : [{ folder, free: freeBytes(folder) }];
  });
  const chosen = made.find(({ free }) => free >= ENOUGH_BYTES) ?? [...made].sort((a, b) => b.free - a.free)[0];
  for (const { folder } of made) if (folder !== chosen?.folder) rmSync(folder, { recursive: true, force: true });
  return chosen?.folder ?? null;
}

function madeIn(place: string): string | null {
  try {
    const folder = mkdtempSync(join(place, "ijepa-gpu-check-"));
    writeFileSync(join(folder, "trial"), "x");
    return folder;
  } catch {
    return null;
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
