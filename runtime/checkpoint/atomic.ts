/**
 * Files that are either whole or not there: written beside their place, forced to the disk, then renamed. A crash or a
 * full disk leaves the file that was there before.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileNotWritten } from "../errors";
import { reasonOf } from "../exceptions";

/** One write call takes less than 2 GiB. */
const chunkBytes = 1 << 26;
/** A writer touches its file all the time; one untouched for so long was left by a crash. */
const abandonedAfterMs = 15 * 60_000;

/**
 * Writes `parts` one after the other, and then what `beginning` gives over the first bytes. An error of the parts themselves is passed on; one of the file system becomes
 * fileNotWritten. In both cases nothing is left behind and `path` is untouched.
 */
export async function writeAtomically(
  path: string,
  parts: AsyncIterable<ArrayBufferView>,
  expectedBytes: number,
  beginning?: () => Uint8Array,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  const onDisk = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw fileNotWritten({ path, bytes: expectedBytes, why: reasonOf(cause), cause });
    }
  };
  await removeAbandoned(path);
  const file = await onDisk(open(temporary, "wx"));
  try {
    try {
      for await (const part of parts) await onDisk(writeAll(file, part, null));
      if (beginning !== undefined) await onDisk(writeAll(file, beginning(), 0));
      await onDisk(file.sync());
    } finally {
      await onDisk(file.close());
    }
    await onDisk(rename(temporary, path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** `from` null: after what was written before. */
async function writeAll(file: FileHandle, part: ArrayBufferView, from: number | null): Promise<void> {
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const at = from === null ? null : from + done;
    const { bytesWritten } = await file.write(bytes, done, Math.min(chunkBytes, bytes.length - done), at);
    if (bytesWritten === 0) throw new Error("the disk takes no more bytes");
    done += bytesWritten;
  }
}

/** Removes what an earlier, killed writer of the same file left. */
async function removeAbandoned(path: string): Promise<void> {
  const directory = dirname(path);
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names) {
    if (!name.startsWith(`.${basename(path)}.`) || !name.endsWith(".tmp")) continue;
    const left = join(directory, name);
    const info = await stat(left).catch(() => null);
    if (info !== null && Date.now() - info.mtimeMs > abandonedAfterMs) await unlink(left).catch(() => undefined);
  }
}

/** Makes the rename itself last. Not every system can open a folder; there the rename is still atomic. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r").catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}
