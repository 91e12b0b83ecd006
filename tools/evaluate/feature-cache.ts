/** Features on disk, by all that they depend on: weights, images, how those are cut. */
import type { Features } from "../../runtime/evaluate/features";
import { type CacheKind, type CacheOptions, openFileCache } from "../../runtime/file-cache";

/** Images and dimension as unsigned 32-bit numbers, then the values. */
const sizesBytes = 8;
const kind: CacheKind = {
  name: "features",
  variable: "IJEPA_FEATURE_CACHE",
  extension: ".features",
  mostBytes: 4 * 2 ** 30,
};

export interface FeatureCache {
  /** `what` they are of, for a note; undefined where they are not there or not whole. */
  get(key: string, what: string): Features | undefined;
  /** Never fails: a cache that cannot be written is none. */
  put(key: string, features: Features): void;
}

export function openFeatureCache(options: CacheOptions): FeatureCache {
  const cache = openFileCache(kind, options);
  return {
    get: (key, what) => cache.get({ key, what: `the features of ${what}`, read: featuresIn }),
    put: (key, { images, dimension, values }) => {
      const sizes = Buffer.alloc(sizesBytes);
      sizes.writeUInt32LE(images, 0);
      sizes.writeUInt32LE(dimension, 4);
      cache.put(key, sizes, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    },
  };
}

function featuresIn({ buffer, byteLength }: Uint8Array<ArrayBuffer>): Features | undefined {
  const sizes = new DataView(buffer, 0, sizesBytes);
  const [images, dimension] = [sizes.getUint32(0, true), sizes.getUint32(4, true)];
  if (4 * images * dimension !== byteLength - sizesBytes) return undefined;
  return { images, dimension, values: new Float32Array(buffer, sizesBytes) };
}
