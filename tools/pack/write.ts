/** Puts a package in its place, as a folder and as an archive: both whole, or neither. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { create } from "tar";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import type { PackedFile } from "./packages";

/** A text that goes along; programs are files that may be run. */
export interface PackedText {
  readonly to: string;
  readonly text: string;
}

export interface PackageContents {
  /** Of the folder, and of the archive before `.tar.gz`. */
  readonly name: string;
  readonly files: readonly PackedFile[];
  readonly texts: readonly PackedText[];
  /** Paths of those that are programs. */
  readonly programs: readonly string[];
}

export interface WrittenPackage {
  readonly folder: string;
  readonly folderBytes: number;
  readonly archive: string;
  readonly archiveBytes: number;
}

export type WriteResult =
  | { readonly ok: true; readonly written: WrittenPackage }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

export interface WriteOptions {
  /** The folder that both are written into. */
  readonly out: string;
  /** Bytes that the disk has free for a folder. */
  readonly freeBytes?: (folder: string) => number;
}

/** Every file has this time, which is npm's: the same contents give the same bytes. Time 0 makes some tars complain. */
const TIME = new Date("1985-10-26T08:15:00Z");
/** Of the room that the files take, the archive takes less than this much more. */
const ARCHIVE_SHARE = 0.6;

/** What is in the way or has no room is told; other failures throw. Either way nothing half-written stays. */
export async function writePackage(
  { name, files, texts, programs }: PackageContents,
  { out, freeBytes = freeBytesOf }: WriteOptions,
): Promise<WriteResult> {
  const folder = join(out, name);
  const archive = `${folder}.tar.gz`;
  const taken = [folder, archive].find((path) => existsSync(path));
  if (taken !== undefined) return { ok: false, diagnostic: unplaced(taken, errors.packageInTheWay()) };

  const folderBytes =
    files.reduce((sum, { from }) => sum + statSync(from).size, 0) +
    texts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const needed = folderBytes * (1 + ARCHIVE_SHARE);
  const free = freeBytes(nearestFolder(out));
  const noRoom = (known: number | null): WriteResult => ({
    ok: false,
    diagnostic: unplaced(out, errors.noRoomForPackage({ needed, free: known })),
  });
  if (free < needed) return noRoom(free);

  const madeFrom = firstMissing(out);
  // In one folder with their final places, so that a rename puts them there.
  const draft = join(out, `.${name}.${process.pid}.tmp`);
  const clean = (): void => rmSync(draft, { recursive: true, force: true });
  const stopped = (signal: "SIGINT" | "SIGTERM"): void => {
    clean();
    process.kill(process.pid, signal);
  };
  process.once("SIGINT", stopped).once("SIGTERM", stopped);
  try {
    const inside = join(draft, name);
    for (const { from, to } of files) {
      makeFolderOf(join(inside, to));
      copyFileSync(from, join(inside, to));
    }
    for (const { to, text } of texts) {
      makeFolderOf(join(inside, to));
      writeFileSync(join(inside, to), text);
    }
    for (const { to } of [...files, ...texts]) chmodSync(join(inside, to), programs.includes(to) ? 0o755 : 0o644);
    const packed = `${inside}.tar.gz`;
    await makeArchive(draft, name, packed);
    const archiveBytes = statSync(packed).size;
    renameSync(inside, folder);
    renameSync(packed, archive);
    return { ok: true, written: { folder, folderBytes, archive, archiveBytes } };
  } catch (cause) {
    clean();
    if (madeFrom !== undefined) rmSync(madeFrom, { recursive: true, force: true });
    if (cause instanceof Error && "code" in cause && cause.code === "ENOSPC") return noRoom(null);
    throw cause;
  } finally {
    process.off("SIGINT", stopped).off("SIGTERM", stopped);
    clean();
  }
}

/** Files in the order of their names, all of one time, owned by user 0. */
async function makeArchive(folder: string, name: string, file: string): Promise<void> {
  const entries = readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  // `portable` leaves out who owns a file and where it lay, also in the header of gzip.
  await create(
    { file, cwd: folder, gzip: { level: 6 }, portable: true, mtime: TIME, noPax: true, strict: true },
    entries,
  );
}

function makeFolderOf(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
}

function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** The folder itself, or the first above it that is there. */
function nearestFolder(folder: string): string {
  const path = resolve(folder);
  return existsSync(path) ? path : nearestFolder(dirname(path));
}

/** The outermost folder that has to be made; undefined where all are there. */
function firstMissing(folder: string): string | undefined {
  const path = resolve(folder);
  return existsSync(path) ? undefined : (firstMissing(dirname(path)) ?? path);
}
