/** Reads a file of a data set. File systems on a network hiccup: what may pass is tried again for a while. */
import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { imagesGone } from "../errors";
import { hasCode, reasonOf } from "../exceptions";

/** How long a read that fails is tried again, in milliseconds. */
export const usualPatienceMs = 30_000;

/** The longest and shortest pause between two tries, in milliseconds. */
const pauseMs = { first: 50, most: 2000 };
/** After waits in vain no less than this is waited, in milliseconds, unless the patience itself is shorter. */
const leastPatienceMs = 1000;

/** Errors of reading that an outage of a network file system, or a shortage on this machine, can cause. */
const passing = [
  ...["EIO", "ESTALE", "ENOENT", "ENOTDIR", "ENOTCONN", "ENODEV", "ENXIO", "EREMOTEIO", "ESHUTDOWN", "EPIPE"],
  ...["ETIMEDOUT", "EAGAIN", "EBUSY", "EINTR", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNRESET"],
  ...["ECONNREFUSED", "ECONNABORTED", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"],
];

export interface PatientReader {
  /** The bytes of a file. Throws what the system says of it at last; R139 where all of the data set is gone. */
  read(path: string): Promise<Buffer>;
}

/** `folder` is that of the data set. Where a wait was in vain, the next one is half as long: many files may be gone for good. */
export function patientReader({
  folder,
  patienceMs,
}: {
  readonly folder: string;
  readonly patienceMs: number;
}): PatientReader {
  let nextPatienceMs = patienceMs;
  return {
    read: async (path) => {
      const beganMs = performance.now();
      for (let pause = pauseMs.first; ; pause = Math.min(2 * pause, pauseMs.most)) {
        try {
          const file = await readFile(path);
          if (pause > pauseMs.first) nextPatienceMs = patienceMs;
          return file;
        } catch (error) {
          if (!hasCode(error, ...passing)) throw error;
          const leftMs = nextPatienceMs - (performance.now() - beganMs);
          if (leftMs <= 0) {
            await requireFolder(folder);
            nextPatienceMs = Math.min(patienceMs, Math.max(leastPatienceMs, nextPatienceMs / 2));
            throw error;
          }
          await sleep(Math.min(pause, leftMs));
        }
      }
    },
  };
}

async function requireFolder(folder: string): Promise<void> {
  await stat(folder).catch((cause: unknown) => {
    throw imagesGone({ folder, why: reasonOf(cause), cause });
  });
}
