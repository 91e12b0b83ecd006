/** Compiled programs on disk, by everything that they depend on: a damaged one is compiled again and never handed to XLA. */
import { type CacheKind, type CacheOptions, type FileCache, openFileCache } from "../../file-cache";

/** A program is a few MiB, and a sweep makes many. */
const kind: CacheKind = {
  name: "xla",
  variable: "IJEPA_XLA_CACHE",
  extension: ".xla",
  mostBytes: 2 * 2 ** 30,
};

export const openProgramCache = (options: CacheOptions = {}): FileCache => openFileCache(kind, options);
