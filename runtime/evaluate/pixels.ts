/** The simplest representation: the image itself, averaged down to 16×16. A model that beats it has learnt something. */
import type { ImagePlan } from "../experiment";

export const pixelSide = 16;

/** The size of the images, and what normalizes them. */
export type PixelImage = Pick<ImagePlan, "height" | "width" | "mean" | "std">;

/** Values of a representation by pixels. */
export function pixelDimension(height: number, width: number): number {
  return 3 * Math.min(height, pixelSide) * Math.min(width, pixelSide);
}

/**
 * Mean colour of each of 16×16 equal boxes (fewer where the image is smaller), where a pixel on the border of two boxes
 * counts in both by its share; normalized as for the encoders. Images [count, 3, height, width] → [count, 3·16·16].
 */
export function downsample(images: Uint8Array, count: number, { height, width, mean, std }: PixelImage): Float32Array {
  const rows = boxes(height);
  const columns = boxes(width);
  const planes = count * 3;
  const out = new Float32Array(planes * rows.length * columns.length);
  for (let plane = 0; plane < planes; plane++) {
    const channel = plane % 3;
    const [shift = 0, scale = 1] = [mean[channel], std[channel]];
    for (const [y, row] of rows.entries()) {
      for (const [x, column] of columns.entries()) {
        let sum = 0;
        for (const [atY, shareY] of row) {
          const line = (plane * height + atY) * width;
          for (const [atX, shareX] of column) sum += shareY * shareX * (images[line + atX] ?? 0);
        }
        out[(plane * rows.length + y) * columns.length + x] = (sum / 255 - shift) / scale;
      }
    }
  }
  return out;
}

type Box = readonly (readonly [at: number, share: number])[];

/** The pixels of each box along one axis, with shares that add up to 1. */
function boxes(size: number): readonly Box[] {
  const count = Math.min(size, pixelSide);
  const length = size / count;
  return Array.from({ length: count }, (_, box) => {
    const from = box * length;
    const to = from + length;
    const pixels: [number, number][] = [];
    for (let at = Math.floor(from); at < to && at < size; at++) {
      const share = (Math.min(to, at + 1) - Math.max(from, at)) / length;
      if (share > 1e-9) pixels.push([at, share]);
    }
    return pixels;
  });
}
