// AssemblyScript, compiled to WebAssembly by scripts/resample-kernel.ts: the two passes of resample.ts, four channels at a time.
// Weights are whole numbers of 22 bits, and sums stay below 2^31, so every number is that of the loops in TypeScript.

const HALF: i32 = 1 << 21;
const BITS: i32 = 22;

/** Sums → bytes in all lanes, at 255 where they would be more. */
// @ts-ignore: decorator
@inline
function bytesOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const low = i16x8.narrow_i32x4_s(i32x4.shr_s(a, BITS), i32x4.shr_s(b, BITS));
  const high = i16x8.narrow_i32x4_s(i32x4.shr_s(c, BITS), i32x4.shr_s(d, BITS));
  return i8x16.narrow_i16x8_u(low, high);
}

/**
 * Along rows: `count` rows of RGB from `source` on, `sourceStride` bytes apart, become rows of `width` RGBX at `out`,
 * `outStride` bytes apart. Reads one byte beyond the last pixel.
 */
export function alongRows(
  source: usize, sourceStride: usize, count: i32,
  first: usize, taps: usize, weights: usize, weightStride: i32,
  width: i32, out: usize, outStride: usize,
): void {
  for (let row = 0; row < count; row++) {
    let to = out;
    for (let column = 0; column < width; column++) {
      let pixel = source + 3 * <usize>load<i32>(first + (<usize>column << 2));
      let weight = weights + (<usize>(column * weightStride) << 2);
      const end = weight + (<usize>load<i32>(taps + (<usize>column << 2)) << 2);
      let sum = i32x4.splat(HALF);
      while (weight < end) {
        const bytes = v128.load32_zero(pixel);
        const values = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
        sum = i32x4.add(sum, i32x4.mul(values, v128.load32_splat(weight)));
        weight += 4;
        pixel += 3;
      }
      v128.store32_lane(to, bytesOf(sum, sum, sum, sum), 0);
      to += 4;
    }
    source += sourceStride;
    out += outStride;
  }
}

/** Along columns: rows of `stride` bytes, a multiple of 16, become `height` rows of as many. */
export function alongColumns(
  source: usize, stride: usize,
  first: usize, taps: usize, weights: usize, weightStride: i32,
  height: i32, out: usize,
): void {
  for (let row = 0; row < height; row++) {
    const top = source + <usize>load<i32>(first + (<usize>row << 2)) * stride;
    const begin = weights + (<usize>(row * weightStride) << 2);
    const end = begin + (<usize>load<i32>(taps + (<usize>row << 2)) << 2);
    for (let at: usize = 0; at < stride; at += 16) {
      let a = i32x4.splat(HALF);
      let b = i32x4.splat(HALF);
      let c = i32x4.splat(HALF);
      let d = i32x4.splat(HALF);
      let from = top + at;
      for (let weight = begin; weight < end; weight += 4) {
        const bytes = v128.load(from);
        const by = v128.load32_splat(weight);
        const low = i16x8.extend_low_i8x16_u(bytes);
        const high = i16x8.extend_high_i8x16_u(bytes);
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), by));
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), by));
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), by));
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), by));
        from += stride;
      }
      v128.store(out + at, bytesOf(a, b, c, d));
    }
    out += stride;
  }
}

/** RGBX → RGB without gaps. */
export function packed(source: usize, stride: usize, width: i32, height: i32, out: usize): void {
  for (let row = 0; row < height; row++) {
    let from = source;
    for (let column = 0; column < width; column++) {
      // The fourth byte is written over by the next pixel.
      store<u32>(out, load<u32>(from));
      out += 3;
      from += 4;
    }
    source += stride;
  }
}
