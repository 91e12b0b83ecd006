/** What was found in a data set, kept on disk: looking through a million files takes minutes, and checking that none has changed seconds. */
import { deserialize, serialize } from "node:v8";
import { type CacheKind, type CacheOptions, cacheKey, type FileCache, fileCacheIn, openFileCache } from "../file-cache";

const kind: CacheKind = {
  name: "index",
  variable: "IJEPA_INDEX_CACHE",
  extension: ".index",
  mostBytes: 4 * 2 ** 30,
};
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

export const openIndexCache = (options: CacheOptions = {}): IndexCache => over(openFileCache(kind, options));

export const indexCacheIn = (folder: string, note?: (sentence: string) => void): IndexCache =>
  over(fileCacheIn(folder, kind, note));

function over(cache: FileCache): IndexCache {
  const keyOf = (about: readonly string[]): string => cacheKey([String(version), ...about]);
  return {
    get: (about, is) =>
      cache.get({
        key: keyOf(about),
        what: `the list of images of ${about.join(", ")}`,
        read: (bytes) => {
          const value: unknown = deserialize(bytes);
          return is(value) ? value : undefined;
        },
      }),
    put: (about, value) => {
      cache.put(keyOf(about), serialize(value));
    },
  };
}
