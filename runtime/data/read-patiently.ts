/** Reads a file of a data set. File systems on a network hiccup: what may pass is tried again for a while. */
import { open, readFile, stat } from "node:fs/promises";
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
  /** `size` bytes of a file from `offset` on, or as many as there are; throws as `read` does. */
  readPart(path: string, part: FilePart): Promise<Buffer<ArrayBuffer>>;
  /** The same for anything that is read. */
  attempt<T>(read: () => Promise<T>): Promise<T>;
}

export interface FilePart {
  readonly offset: number;
  readonly size: number;
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

  async function tried<T>(read: () => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    for (let pause = pauseMs.first; ; pause = Math.min(2 * pause, pauseMs.most)) {
      try {
        const found = await read();
        if (pause > pauseMs.first) nextPatienceMs = patienceMs;
        return found;
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
  }

  return {
    read: (path) => tried(() => readFile(path)),
    readPart: (path, part) => tried(() => partOf(path, part)),
    attempt: tried,
  };
}

/** Opened anew each time: a file that was put in the place of another, or a server that came back, is seen. */
async function partOf(path: string, { offset, size }: FilePart): Promise<Buffer<ArrayBuffer>> {
  const file = await open(path);
  try {
    // never larger than the file, whatever an index says
    const { size: whole } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, Math.min(size, whole - offset)));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

async function requireFolder(folder: string): Promise<void> {
  await stat(folder).catch((cause: unknown) => {
    throw imagesGone({ folder, why: reasonOf(cause), cause });
  });
}
