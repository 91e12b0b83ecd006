/**
 * Compiled programs on disk. A file is named by a hash of everything that it depends on, and begins with a hash of what
 * follows, so that one that is cut short or damaged is compiled again and never handed to XLA.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../cache-folder";

const EXTENSION = ".xla";
const HASH_BYTES = 32;
/** A program is a few MiB, and a sweep makes many: the ones that were not used for longest go first. */
const MOST_BYTES = 2 * 2 ** 30;

export interface ProgramCache {
  /** Undefined where it is not there or not whole. */
  get(key: string): Uint8Array<ArrayBuffer> | undefined;
  /** Never fails: a cache that cannot be written is none. */
  put(key: string, bytes: Uint8Array): void;
}

const none: ProgramCache = { get: () => undefined, put: () => undefined };

/** The folder that IJEPA_XLA_CACHE names; "off" is none. Left out: ijepa/xla in the user's folder for caches. */
export function openCache(env: Readonly<Record<string, string | undefined>> = process.env): ProgramCache {
  const wanted = env.IJEPA_XLA_CACHE;
  if (wanted === "off") return none;
  return cacheIn(wanted || cacheFolder("xla", env));
}

export function cacheIn(folder: string): ProgramCache {
  const fileOf = (key: string): string => join(folder, `${key}${EXTENSION}`);
  return {
    get: (key) => {
      try {
        const file = readFileSync(fileOf(key));
        const bytes = new Uint8Array(file.byteLength - HASH_BYTES);
        bytes.set(file.subarray(HASH_BYTES));
        if (!digest(bytes).equals(file.subarray(0, HASH_BYTES))) return undefined;
        const now = new Date();
        utimesSync(fileOf(key), now, now);
        return bytes;
      } catch {
        return undefined;
      }
    },
    put: (key, bytes) => {
      const draft = `${fileOf(key)}.${process.pid}`;
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(draft, Buffer.concat([digest(bytes), bytes]));
        renameSync(draft, fileOf(key));
        prune(folder);
      } catch {
        removed(draft);
      }
    },
  };
}

function removed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its folder is none.
  }
}

/** A name for everything that a compiled program depends on. */
export function cacheKey(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}

function digest(bytes: Uint8Array) {
  return createHash("sha256").update(bytes).digest();
}

function prune(folder: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => ({ path: join(folder, name), ...sizeAndTime(join(folder, name)) }))
    .sort((a, b) => b.timeMs - a.timeMs);
  let total = 0;
  for (const { path, bytes } of files) {
    total += bytes;
    if (total > MOST_BYTES) rmSync(path, { force: true });
  }
}

function sizeAndTime(path: string): { readonly bytes: number; readonly timeMs: number } {
  const { size, mtimeMs } = statSync(path);
  return { bytes: size, timeMs: mtimeMs };
}
