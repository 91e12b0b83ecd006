/**
 * Features on disk. A file is named by a hash of all that they depend on (weights, images, how those are cut), and begins with
 * a hash of what follows: one that is cut short or damaged is made anew, and that is said.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../runtime/cache-folder";
import type { Features } from "../../runtime/evaluate/features";

const HASH_BYTES = 32;
/** Then images and dimension as unsigned 32-bit numbers, then the values. */
const SIZES_BYTES = 8;
const EXTENSION = ".features";
/** The ones that were not used for longest go first. */
const MOST_BYTES = 4 * 2 ** 30;

export interface FeatureCache {
  get(key: string): Features | "absent" | "damaged";
  /** Never fails: a cache that cannot be written is none. */
  put(key: string, features: Features): void;
}

const none: FeatureCache = { get: () => "absent", put: () => undefined };

/** `given` or IJEPA_FEATURE_CACHE; "off" is none. Left out: ijepa/features in the user's folder for caches. */
export function openFeatureCache(
  given: string | null,
  env: Readonly<Record<string, string | undefined>> = process.env,
): FeatureCache {
  const wanted = given ?? env.IJEPA_FEATURE_CACHE;
  if (wanted === "off") return none;
  return featureCacheIn(wanted || cacheFolder("features", env));
}

export function featureCacheIn(folder: string): FeatureCache {
  const fileOf = (key: string): string => join(folder, `${key}${EXTENSION}`);
  return {
    get: (key) => {
      let file: Buffer;
      try {
        file = readFileSync(fileOf(key));
      } catch {
        return "absent";
      }
      const body = file.subarray(HASH_BYTES);
      if (body.length < SIZES_BYTES || !digest(body).equals(file.subarray(0, HASH_BYTES))) return "damaged";
      const [images, dimension] = [body.readUInt32LE(0), body.readUInt32LE(4)];
      if (4 * images * dimension !== body.length - SIZES_BYTES) return "damaged";
      const values = new Float32Array(images * dimension);
      new Uint8Array(values.buffer).set(body.subarray(SIZES_BYTES));
      touch(fileOf(key));
      return { images, dimension, values };
    },
    put: (key, { images, dimension, values }) => {
      const draft = `${fileOf(key)}.${process.pid}`;
      const sizes = Buffer.alloc(SIZES_BYTES);
      sizes.writeUInt32LE(images, 0);
      sizes.writeUInt32LE(dimension, 4);
      const body = Buffer.concat([sizes, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]);
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(draft, Buffer.concat([digest(body), body]));
        renameSync(draft, fileOf(key));
        prune(folder);
      } catch {
        rmSync(draft, { force: true });
      }
    },
  };
}

const digest = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // A cache that may only be read.
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => ({ path: join(folder, name), info: statSync(join(folder, name)) }))
    .sort((a, b) => b.info.mtimeMs - a.info.mtimeMs);
  let total = 0;
  for (const { path, info } of files) {
    total += info.size;
    if (total > MOST_BYTES) rmSync(path, { force: true });
  }
}
