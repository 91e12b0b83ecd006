/**
 * Resizing of 8-bit RGB, to the bit as the BILINEAR of Pillow 9 to 11, with which the reference resizes: a triangle filter, widened by
 * the reduction where the image shrinks; along rows first, then along columns, each rounded to bytes; weights are
 * normalized in doubles and then fixed at 22 bits. The two passes run in WebAssembly, four channels at a time (kernel/).
 */
import type { Box, Size } from "./crop";
import { openKernel } from "./kernel/kernel";

/** Rows, then pixels, then R, G, B. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A box of an image. */
export interface Cutout {
  readonly image: RgbImage;
  readonly box: Box;
}

const weightBits = 22;

/** For each output position: the first input position, and how many weights follow from there on. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** The weights of output position i begin at i · stride. */
  readonly stride: number;
  readonly fixed: Int32Array;
}

const cache = new Map<number, Weights>();
/** Enough for every crop size of an ordinary image. */
const cacheLimit = 2048;

function weightsFor(from: number, to: number): Weights {
  const key = from * 65536 + to;
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= cacheLimit) cache.clear();
  const weights = triangleWeights(from, to);
  cache.set(key, weights);
  return weights;
}

function triangleWeights(from: number, to: number): Weights {
  const scale = from / to;
  const support = Math.max(1, scale);
  const stride = 2 * Math.ceil(support) + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const fixed = new Int32Array(to * stride);
  const weights = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let j = begin; j < end; j++) {
      const weight = Math.max(0, 1 - Math.abs((j - centre + 0.5) * (1 / support)));
      weights[j - begin] = weight;
      sum += weight;
    }
    first[i] = begin;
    for (let j = begin; j < end; j++) {
      const weight = sum === 0 ? 0 : (weights[j - begin] ?? 0) / sum;
      fixed[i * stride + j - begin] = Math.trunc(0.5 + weight * (1 << weightBits));
    }
    count[i] = end - begin;
  }
  return { first, count, stride, fixed };
}

/** Scratch memory that grows to the largest image so far; one per thread is enough. */
export interface Resampler {
  /** The box of the image at another size, as bytes; valid until the next call. */
  resample(image: RgbImage, box: Box, to: Size): Uint8Array;
}

/** Lines of the image are copied in parts of about so many bytes: an image may be larger than all that it becomes. */
const partBytes = 2 ** 22;

export function createResampler(): Resampler {
  const kernel = openKernel();
  return {
    resample({ data, width }, box, to) {
      const rows = weightsFor(box.width, to.width);
      const columns = weightsFor(box.height, to.height);
      const line = 3 * width;
      const stride = aligned(4 * to.width);
      const linesAtOnce = Math.max(1, Math.min(box.height, Math.floor(partBytes / line)));
      const place = places();
      const source = place(linesAtOnce * line);
      const [rowsAt, columnsAt] = [rows, columns].map((weights) => ({
        first: place(weights.first.byteLength),
        count: place(weights.count.byteLength),
        fixed: place(weights.fixed.byteLength),
      }));
      const between = place(box.height * stride);
      const wide = place(to.height * stride);
      const out = place(3 * to.width * to.height);
      if (rowsAt === undefined || columnsAt === undefined) throw new Error("internal: two passes have two weights");
      const bytes = kernel.memoryOf(place(0));
      for (const [weights, at] of [
        [rows, rowsAt],
        [columns, columnsAt],
      ] as const) {
        for (const part of ["first", "count", "fixed"] as const)
          bytes.set(new Uint8Array(weights[part].buffer), at[part]);
      }
      for (let top = 0; top < box.height; top += linesAtOnce) {
        const lines = Math.min(linesAtOnce, box.height - top);
        const from = (box.top + top) * line;
        bytes.set(data.subarray(from, from + lines * line), source);
        kernel.alongRows(
          ...([source + 3 * box.left, line, lines] as const),
          ...([rowsAt.first, rowsAt.count, rowsAt.fixed, rows.stride] as const),
          ...([to.width, between + top * stride, stride] as const),
        );
      }
      const { first, count, fixed } = columnsAt;
      kernel.alongColumns(between, stride, first, count, fixed, columns.stride, to.height, wide);
      kernel.packed(wide, stride, to.width, to.height, out);
      return bytes.subarray(out, out + 3 * to.width * to.height);
    },
  };
}

const aligned = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** Gives places one behind the other, with room behind each for a read or a write that goes beyond its end. */
function places(): (bytes: number) => number {
  let end = 0;
  return (bytes) => {
    const at = end;
    end += aligned(bytes) + 16;
    return at;
  };
}
