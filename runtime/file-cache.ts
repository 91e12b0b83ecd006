/**
 * What can be made anew, kept on disk: the lists of images of data sets, compiled programs, features. A file is named by a hash of all
 * that it depends on, appears whole or not at all, and begins with a hash of what follows, so that one that is cut short or
 * damaged is made anew, which is said. Over a limit the files that were not used for longest go. A cache never fails: one that
 * cannot be written is none, and one that can only be read is read.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder";
import { touch } from "./touch";

type Variables = Readonly<Record<string, string | undefined>>;

export interface CacheKind {
  /** Of its folder in the user's folder for caches. */
  readonly name: string;
  /** The environment variable that names another folder, or "off". */
  readonly variable: string;
  /** Of its files, with the dot. */
  readonly extension: string;
  readonly mostBytes: number;
}

export interface Entry<T> {
  readonly key: string;
  /** For the sentence about a damaged file, after "with". */
  readonly what: string;
  /** Makes a value of the bytes; undefined, or any error, where they are none. They may be kept. */
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => T | undefined;
}

export interface FileCache {
  /** Undefined where it is not there or not whole. */
  get<T>(entry: Entry<T>): T | undefined;
  put(key: string, ...parts: readonly Uint8Array[]): void;
}

const hashBytes = 32;
const draftEnding = ".draft";
/** No writer takes so long; one that was killed left it. */
const abandonedAfterMs = 3_600_000;

const none: FileCache = { get: () => undefined, put: () => undefined };

export interface CacheOptions {
  /** Hears of damaged files. */
  readonly note?: ((sentence: string) => void) | undefined;
  /** A folder or "off", before what the variable says; null or left out: the variable, then the user's folder for caches. */
  readonly folder?: string | null;
  readonly env?: Variables;
}

export function openFileCache(kind: CacheKind, { note, folder, env = process.env }: CacheOptions = {}): FileCache {
  const wanted = folder ?? env[kind.variable];
  if (wanted === "off") return none;
  return fileCacheIn(wanted || cacheFolder(kind.name, env), kind, note);
}

export function fileCacheIn(
  folder: string,
  { extension, mostBytes }: Pick<CacheKind, "extension" | "mostBytes">,
  note: (sentence: string) => void = () => undefined,
): FileCache {
  const fileOf = (key: string): string => join(folder, `${key}${extension}`);
  return {
    get: ({ key, what, read }) => {
      let file: Buffer<ArrayBuffer>;
      try {
        file = readFileSync(fileOf(key));
      } catch {
        return undefined;
      }
      const value = wholeValue(file, read);
      if (value === undefined) note(`The file in the cache with ${what} was damaged; it is made anew.`);
      else touch(fileOf(key));
      return value;
    },
    put: (key, ...parts) => {
      const draft = join(folder, `${key}.${randomBytes(6).toString("hex")}${draftEnding}`);
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(draft, Buffer.concat([digest(parts), ...parts]));
        renameSync(draft, fileOf(key));
        prune(folder, extension, mostBytes);
      } catch {
        removed(draft);
      }
    },
  };
}

/** A name for everything that an entry depends on: lists of texts that differ anywhere have different ones. */
export function cacheKey(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}

function wholeValue<T>(
  file: Buffer<ArrayBuffer>,
  read: (bytes: Uint8Array<ArrayBuffer>) => T | undefined,
): T | undefined {
  const body = file.subarray(hashBytes);
  if (!digest([body]).equals(file.subarray(0, hashBytes))) return undefined;
  try {
    // From the beginning of its memory on: arrays of numbers can be laid over it.
    return read(new Uint8Array(body));
  } catch {
    return undefined;
  }
}

function digest(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function removed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its folder is none.
  }
}

function prune(folder: string, extension: string, mostBytes: number): void {
  const found = (ending: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => ({ path: join(folder, name), info: statSync(join(folder, name), { throwIfNoEntry: false }) }));
  for (const { path, info } of found(draftEnding)) {
    if (info !== undefined && Date.now() - info.mtimeMs > abandonedAfterMs) removed(path);
  }
  let total = 0;
  for (const { path, info } of found(extension).sort((a, b) => (b.info?.mtimeMs ?? 0) - (a.info?.mtimeMs ?? 0))) {
    total += info?.size ?? 0;
    if (total > mostBytes) removed(path);
  }
}
