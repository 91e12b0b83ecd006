/**
 * Resizing of 8-bit RGB, to the bit as the BILINEAR of Pillow 9 to 11, with which the reference resizes: a triangle filter, widened by
 * the reduction where the image shrinks; along rows first, then along columns, each rounded to bytes; weights are
 * normalized in doubles and then fixed at 22 bits.
 */
import type { Box, Size } from "./crop";

/** Rows, then pixels, then R, G, B. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const weightBits = 22;
const half = 1 << (weightBits - 1);

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

export function createResampler(): Resampler {
  let rows = new Uint8Array(0);
  let sums = new Int32Array(0);
  let out = new Uint8Array(0);
  return {
    resample(image, box, to) {
      if (rows.length < box.height * to.width * 3) rows = new Uint8Array(box.height * to.width * 3);
      if (sums.length < to.width * 3) sums = new Int32Array(to.width * 3);
      if (out.length < to.height * to.width * 3) out = new Uint8Array(to.height * to.width * 3);
      alongRows(image, box, to.width, rows);
      alongColumns(rows, box.height, to, sums, out);
      return out;
    },
  };
}

// Sums stay below 2³¹, as whole numbers: the weights of a position sum to 2²² and a few. `| 0` tells the machine so.

function alongRows({ data, width }: RgbImage, box: Box, toWidth: number, out: Uint8Array): void {
  const { first, count, stride, fixed } = weightsFor(box.width, toWidth);
  for (let row = 0, at = 0; row < box.height; row++) {
    const line = 3 * ((box.top + row) * width + box.left);
    for (let column = 0; column < toWidth; column++, at += 3) {
      let pixel = line + 3 * (first[column] ?? 0);
      let red = half;
      let green = half;
      let blue = half;
      const begin = column * stride;
      for (let tap = begin, end = begin + (count[column] ?? 0); tap < end; tap++, pixel += 3) {
        const weight = fixed[tap] ?? 0;
        red = (red + Math.imul(weight, data[pixel] ?? 0)) | 0;
        green = (green + Math.imul(weight, data[pixel + 1] ?? 0)) | 0;
        blue = (blue + Math.imul(weight, data[pixel + 2] ?? 0)) | 0;
      }
      out[at] = Math.min(255, red >> weightBits);
      out[at + 1] = Math.min(255, green >> weightBits);
      out[at + 2] = Math.min(255, blue >> weightBits);
    }
  }
}

/** Adds up whole rows, so that memory is read in order. */
function alongColumns(data: Uint8Array, height: number, to: Size, sums: Int32Array, out: Uint8Array): void {
  const { first, count, stride, fixed } = weightsFor(height, to.height);
  const line = 3 * to.width;
  for (let row = 0; row < to.height; row++) {
    sums.fill(half);
    for (let tap = 0; tap < (count[row] ?? 0); tap++) {
      const weight = fixed[row * stride + tap] ?? 0;
      const from = ((first[row] ?? 0) + tap) * line;
      for (let i = 0; i < line; i++) sums[i] = ((sums[i] ?? 0) + Math.imul(weight, data[from + i] ?? 0)) | 0;
    }
    const at = row * line;
    for (let i = 0; i < line; i++) out[at + i] = Math.min(255, (sums[i] ?? 0) >> weightBits);
  }
}
