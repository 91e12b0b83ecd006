/** Bytes → the numbers that the network sees: (x / 255 − mean) / std, rounded to float32 after each operation. */
import type { ImagePlan } from "../experiment";

/** The number for each byte of each channel, at 256 · channel + byte. */
export function normalizationTable({ mean, std }: Pick<ImagePlan, "mean" | "std">): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    for (let byte = 0; byte < 256; byte++) {
      const shifted = Math.fround(Math.fround(byte / 255) - Math.fround(mean[channel] ?? 0));
      table[256 * channel + byte] = shifted / Math.fround(std[channel] ?? 1);
    }
  }
  return table;
}

/** Writes one image [3, H, W] from `offset` on; `rgb` is [H, W, 3]. */
export function writeNormalized(
  rgb: Uint8Array,
  { height, width }: Pick<ImagePlan, "height" | "width">,
  mirrored: boolean,
  table: Float32Array,
  out: Float32Array,
  offset: number,
): void {
  const plane = height * width;
  for (let row = 0; row < height; row++) {
    let from = 3 * row * width;
    const step = mirrored ? -1 : 1;
    let at = offset + row * width + (mirrored ? width - 1 : 0);
    for (let column = 0; column < width; column++, from += 3, at += step) {
      out[at] = table[rgb[from] ?? 0] ?? 0;
      out[at + plane] = table[256 + (rgb[from + 1] ?? 0)] ?? 0;
      out[at + 2 * plane] = table[512 + (rgb[from + 2] ?? 0)] ?? 0;
    }
  }
}
