/**
 * Where gradients lie between the graph that gives them and the graph that takes their means: side by side in few flat
 * arrays, which the devices reduce in place. Nothing is packed or unpacked, since both graphs are bound to the same memory.
 */
import type { NamedValue } from "./model";
import { allocate } from "./store";

/** A cache line: tensors begin on one, and the gap behind them holds zeros, whose mean is zero. */
export const ALIGNED_ELEMENTS = 16;

export interface Buckets {
  /** In the order in which the step gives what lies in them. */
  readonly all: readonly Float32Array[];
  /** The part of a bucket that is this tensor. */
  find(name: string): Float32Array;
}

/** `most` is how many numbers a bucket has; a larger tensor has one of its own. */
export function bucketsOf(tensors: readonly NamedValue[], most: number): Buckets {
  const places = new Map<string, { readonly bucket: number; readonly start: number; readonly end: number }>();
  const sizes: number[] = [];
  for (const { name, value } of tensors) {
    const size = value.dims.reduce<number>((product, dim) => product * fixedSize(name, dim), 1);
    const last = sizes.at(-1);
    if (last === undefined || last + size > most) sizes.push(0);
    const bucket = sizes.length - 1;
    const start = sizes[bucket] ?? 0;
    places.set(name, { bucket, start, end: start + size });
    sizes[bucket] = Math.ceil((start + size) / ALIGNED_ELEMENTS) * ALIGNED_ELEMENTS;
  }
  const all = sizes.map((size) => allocate(size));
  return {
    all,
    find: (name) => {
      const place = places.get(name);
      const bucket = place && all[place.bucket];
      if (bucket === undefined) throw new Error(`internal: ${name} is in no bucket`);
      return bucket.subarray(place?.start, place?.end);
    },
  };
}

function fixedSize(name: string, dim: number | string): number {
  if (typeof dim !== "number")
    throw new Error(`internal: the length ${dim} of ${name} differs from program to program`);
  return dim;
}
