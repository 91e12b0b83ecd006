/** Images as the step takes them: bytes, channel after channel. It normalizes them itself (normalizePixels). */
import type { ImagePlan } from "../experiment";

type Size = Pick<ImagePlan, "height" | "width">;

/** Of one image [3, H, W]. */
export const bytesOfImage = ({ height, width }: Size): number => 3 * height * width;

/** Writes one image [3, H, W] from `offset` on; `rgb` is [H, W, 3]. */
export function writePlanes(
  rgb: Uint8Array,
  { height, width }: Size,
  mirrored: boolean,
  out: Uint8Array,
  offset: number,
): void {
  const plane = height * width;
  for (let row = 0; row < height; row++) {
    let from = 3 * row * width;
    const step = mirrored ? -1 : 1;
    let at = offset + row * width + (mirrored ? width - 1 : 0);
    for (let column = 0; column < width; column++, from += 3, at += step) {
      out[at] = rgb[from] ?? 0;
      out[at + plane] = rgb[from + 1] ?? 0;
      out[at + 2 * plane] = rgb[from + 2] ?? 0;
    }
  }
}
