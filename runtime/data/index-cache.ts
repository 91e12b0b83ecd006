/**
 * What was found in a data set, kept on disk: looking through a million files takes minutes, and checking that none has changed
 * seconds. A file is named by a hash of what it is about, and begins with a hash of what follows, so that one that is cut short
 * or damaged is made anew.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { homeFolder } from "../cache-folder";

const extension = ".index";
const hashBytes = 32;
/** The ones that were not used for longest go first. */
const mostBytes = 4 * 2 ** 30;
/** Goes up where what is kept changes its form. */
const version = 1;

/** Fewer images are looked through in no time, and leave nothing behind. */
export const fewestKept = 10_000;

export interface IndexCache {
  /** What was put there: of the type that `is` accepts, or undefined. */
  get<T>(about: readonly string[], is: (value: unknown) => value is T): T | undefined;
  /** Never fails: a cache that cannot be written is none. Takes what the structured clone algorithm does. */
  put(about: readonly string[], value: object): void;
}

const none: IndexCache = { get: () => undefined, put: () => undefined };

/** The folder that IJEPA_INDEX_CACHE names; "off" is none. Left out: ijepa/index in the user's folder for caches. */
export function openIndexCache(env: Readonly<Record<string, string | undefined>> = process.env): IndexCache {
  const wanted = env.IJEPA_INDEX_CACHE;
  if (wanted === "off") return none;
  return indexCacheIn(wanted || join(env.XDG_CACHE_HOME || join(homeFolder(), ".cache"), "ijepa", "index"));
}

export function indexCacheIn(folder: string): IndexCache {
  const fileOf = (about: readonly string[]): string => {
    const hash = createHash("sha256").update(`${version}\n`);
    for (const part of about) hash.update(`${part.length}:${part}`);
    return join(folder, `${hash.digest("hex")}${extension}`);
  };
  return {
    get: (about, is) => {
      try {
        const file = readFileSync(fileOf(about));
        const body = file.subarray(hashBytes);
        if (!digest(body).equals(file.subarray(0, hashBytes))) return undefined;
        const value: unknown = deserialize(body);
        const now = new Date();
        utimesSync(fileOf(about), now, now);
        return is(value) ? value : undefined;
      } catch {
        return undefined;
      }
    },
    put: (about, value) => {
      const draft = `${fileOf(about)}.${process.pid}`;
      try {
        const body = serialize(value);
        mkdirSync(folder, { recursive: true });
        writeFileSync(draft, Buffer.concat([digest(body), body]));
        renameSync(draft, fileOf(about));
        prune(folder);
      } catch {
        removed(draft);
      }
    },
  };
}

const digest = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

function removed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its folder is none.
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(extension))
    .map((name) => ({ path: join(folder, name), info: statSync(join(folder, name)) }))
    .sort((a, b) => b.info.mtimeMs - a.info.mtimeMs);
  let total = 0;
  for (const { path, info } of files) {
    total += info.size;
    if (total > mostBytes) rmSync(path, { force: true });
  }
}
