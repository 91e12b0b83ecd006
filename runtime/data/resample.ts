/**
 * Resizing of 8-bit RGB, to the bit as the BILINEAR of Pillow 9 to 11, with which the reference resizes: a triangle filter, widened by
 * the reduction where the image shrinks; along rows first, then along columns, each rounded to bytes; weights are
 * normalised in doubles and then fixed at 22 bits.
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

/** For each output position: the first input position, and `taps` weights from there on (the rest are 0). */
interface Weights {
  readonly taps: number;
  readonly first: Int32Array;
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
  const taps = 2 * Math.ceil(support) + 1;
  const first = new Int32Array(to);
  const fixed = new Int32Array(to * taps);
  const weights = new Float64Array(taps);
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
      fixed[i * taps + j - begin] = Math.trunc(0.5 + weight * (1 << weightBits));
    }
  }
  return { taps, first, fixed };
}

/** Scratch memory that grows to the largest image so far; one per thread is enough. */
export interface Resampler {
  /** The box of the image at another size, as bytes; valid until the next call. */
  resample(image: RgbImage, box: Box, to: Size): Uint8Array;
}

export function createResampler(): Resampler {
  let rows = new Uint8Array(0);
  let out = new Uint8Array(0);
  return {
    resample(image, box, to) {
      if (rows.length < box.height * to.width * 3) rows = new Uint8Array(box.height * to.width * 3);
      if (out.length < to.height * to.width * 3) out = new Uint8Array(to.height * to.width * 3);
      alongRows(image, box, to.width, rows);
      alongColumns(rows, box.height, to, out);
      return out;
    },
  };
}

function alongRows({ data, width }: RgbImage, box: Box, toWidth: number, out: Uint8Array): void {
  const { taps, first, fixed } = weightsFor(box.width, toWidth);
  for (let row = 0, at = 0; row < box.height; row++) {
    const line = 3 * ((box.top + row) * width + box.left);
    // Past the end of the box the weights are 0, and so is what lies past the end of the data.
    for (let column = 0; column < toWidth; column++, at += 3) {
      let pixel = line + 3 * (first[column] ?? 0);
      let red = half;
      let green = half;
      let blue = half;
      for (let tap = column * taps, end = tap + taps; tap < end; tap++, pixel += 3) {
        const weight = fixed[tap] ?? 0;
        if (weight === 0) continue;
        red += weight * (data[pixel] ?? 0);
        green += weight * (data[pixel + 1] ?? 0);
        blue += weight * (data[pixel + 2] ?? 0);
      }
      // Below 2³¹: the weights of one position sum to 2²² and a few.
      out[at] = Math.min(255, red >> weightBits);
      out[at + 1] = Math.min(255, green >> weightBits);
      out[at + 2] = Math.min(255, blue >> weightBits);
    }
  }
}

function alongColumns(data: Uint8Array, height: number, to: Size, out: Uint8Array): void {
  const { taps, first, fixed } = weightsFor(height, to.height);
  const line = 3 * to.width;
  for (let row = 0, at = 0; row < to.height; row++) {
    const begin = (first[row] ?? 0) * line;
    for (let column = 0; column < line; column++, at++) {
      let sum = half;
      for (let tap = row * taps, end = tap + taps, from = begin + column; tap < end; tap++, from += line) {
        const weight = fixed[tap] ?? 0;
        if (weight !== 0) sum += weight * (data[from] ?? 0);
      }
      out[at] = Math.min(255, sum >> weightBits);
    }
  }
}
