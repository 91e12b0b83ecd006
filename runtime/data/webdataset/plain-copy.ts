/**
 * Shards that are compressed by gzip. An image in the middle of one cannot be read without all before it, so a shard is streamed
 * through zlib once, into a plain copy in the user's cache, by which it is read from then on: by every thread, rank and run, at
 * any place. A copy appears whole or not at all, and is named by what its shard is called, how large it is and when it changed.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Gunzip } from "minizlib";
import { cacheFolder } from "../../cache-folder";
import { fileNotWritten, shardCompressed, shardDamaged } from "../../errors";
import { reasonOf } from "../../exceptions";
import { cacheKey } from "../../file-cache";
import { touch } from "../../touch";

export interface PlainCopies {
  /** The copy of a gzip file, which is made where it is not there; null for any other file. Throws R122, R123 and R142. */
  of(path: string, info: Stats): string | null;
  /** Makes it anew: what is there turned out not to be what it was. */
  again(path: string, info: Stats): string;
}

/** bzip2, xz, Zstandard: zlib has the first two not at all, and the last one only from Node 22.15 on. */
const others: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["Zstandard", [0x28, 0xb5, 0x2f, 0xfd]],
];
const gzip = [0x1f, 0x8b];

const variable = "IJEPA_SHARD_CACHE";
const pieceBytes = 1 << 16;
/** Images hardly shrink, and the padding of small ones by less than this: what unpacks to more is a bomb. */
const mostTimes = 200;
const mostBytesAnyway = 2 ** 26;

const copyEnding = ".tar";
const draftEnding = ".draft";
/** In milliseconds. A run touches its copies as it begins, and lasts a month; no draft takes a day. */
const unusedAfterMs = { [copyEnding]: 90 * 86_400_000, [draftEnding]: 86_400_000 };

/** The folder that IJEPA_SHARD_CACHE names; "off" is none. Left out: ijepa/shards in the user's folder for caches. `say` hears of the first. */
export function openPlainCopies(
  say: (line: string) => void = () => undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): PlainCopies {
  const wanted = env[variable];
  const folder = wanted || cacheFolder("shards", env);
  let hasSaid = false;
  const placeOf = (path: string, { size, mtimeMs }: Stats): string =>
    join(folder, `${cacheKey(["shard", path, String(size), String(mtimeMs)])}${copyEnding}`);
  const made = (path: string, copy: string): string => {
    if (!hasSaid) say(`unpacking ${path} and others like it, once, into ${folder}`);
    hasSaid = true;
    unpack(path, copy);
    removeUnused(folder);
    return copy;
  };
  return {
    of: (path, info) => {
      const form = compressionOf(path);
      if (form === null) return null;
      if (form !== "gzip") throw shardCompressed({ file: path, form, isOff: false });
      if (wanted === "off") throw shardCompressed({ file: path, form, isOff: true });
      const copy = placeOf(path, info);
      return touched(copy) ? copy : made(path, copy);
    },
    again: (path, info) => made(path, placeOf(path, info)),
  };
}

/** Told by its first bytes, not by its name. */
function compressionOf(path: string): string | null {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(8);
    readSync(file, start, 0, start.length, 0);
    const begins = (magic: readonly number[]): boolean => magic.every((byte, i) => start[i] === byte);
    return begins(gzip) ? "gzip" : (others.find(([, magic]) => begins(magic))?.[0] ?? null);
  } finally {
    closeSync(file);
  }
}

function touched(path: string): boolean {
  if (!existsSync(path)) return false;
  touch(path);
  return true;
}

/** A draft for each writer: ranks that begin together each write one, and any of them becomes the copy. */
function unpack(path: string, copy: string): void {
  const draft = `${copy}.${randomBytes(6).toString("hex")}${draftEnding}`;
  let size = 0;
  const onDisk = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw fileNotWritten({ path: copy, bytes: size, why: reasonOf(cause), cause, by: variable });
    }
  };
  onDisk(() => mkdirSync(join(copy, ".."), { recursive: true }));
  const from = openSync(path, "r");
  try {
    const to = onDisk(() => openSync(draft, "wx"));
    try {
      size = fstatSync(from).size;
      inflate(path, from, (bytes) => onDisk(() => writeAll(to, bytes)));
      onDisk(() => fsyncSync(to));
    } finally {
      closeSync(to);
    }
    onDisk(() => renameSync(draft, copy));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(from);
  }
}

/** Throws R122 where it is cut short, damaged, or a bomb. */
function inflate(path: string, file: number, take: (bytes: Uint8Array) => void): void {
  const gunzip = new Gunzip({});
  const piece = Buffer.alloc(pieceBytes);
  let [at, taken] = [0, 0];
  let problem: Error | null = null;
  gunzip.on("error", (error) => {
    problem = error instanceof Error ? error : new Error(String(error));
  });
  gunzip.on("data", (bytes) => {
    taken += bytes.length;
    if (taken <= mostBytesAnyway || taken <= mostTimes * at) take(bytes);
    else problem ??= new Error(`it unpacks to over ${mostTimes} times its size, as no images do`);
  });
  const check = (): void => {
    if (problem !== null) throw shardDamaged({ file: path, at, why: `(compressed) ${gzipWords(problem)}` });
  };
  for (;;) {
    const count = readSync(file, piece, 0, piece.length, at);
    if (count === 0) break;
    at += count;
    gunzip.write(piece.subarray(0, count));
    check();
  }
  gunzip.end();
  check();
}

function gzipWords({ message }: Error): string {
  if (message.includes("unexpected end of file")) return "it ends in the middle of what was compressed";
  return message.replace(/^zlib: /, "gzip says: ");
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

function removeUnused(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const ending = name.endsWith(draftEnding) ? draftEnding : copyEnding;
      if (!name.endsWith(ending)) continue;
      if (Date.now() - statSync(path).mtimeMs > unusedAfterMs[ending]) rmSync(path, { force: true });
    }
  } catch {
    // Another trainer was there first, or it is not ours.
  }
}
