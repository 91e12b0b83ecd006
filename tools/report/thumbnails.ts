/** Images of the data as a page holds them: encoded once, and drawn as often as it likes. */

import { loadSharp } from "../../runtime/data/decode";
import type { LabelledImages } from "../../runtime/data/labelled";
import type { ImagePlan } from "../../runtime/experiment";
import { short } from "./svg";

export interface Thumbnails {
  readonly count: number;
  /** To stand once in the page, before the first use. */
  readonly definitions: string;
  /** Image `i` as a square of `size`, with its corner at (x, y). */
  readonly draw: (i: number, at: { readonly x: number; readonly y: number; readonly size: number }) => string;
}

/** `id` keeps the images of several sections apart; `mostPixels` is the longer side of what is kept. */
export async function thumbnailsOf(
  images: Pick<LabelledImages, "pixels">,
  {
    image,
    numbers,
    id,
    mostPixels = 224,
  }: {
    readonly image: ImagePlan;
    readonly numbers: readonly number[];
    readonly id: string;
    readonly mostPixels?: number;
  },
): Promise<Thumbnails> {
  const parts: Buffer[] = [];
  // One after the other: a photograph takes many megabytes while it is decoded.
  for (const number of numbers) parts.push(await encoded(await images.pixels(number, 1), image, mostPixels));
  const symbols = parts.map(
    (bytes, i) =>
      `<symbol id="${id}-${i}" viewBox="0 0 1 1"><image href="data:image/webp;base64,${bytes.toString("base64")}" width="1" height="1" preserveAspectRatio="none"/></symbol>`,
  );
  return {
    count: numbers.length,
    definitions: `<svg class="definitions" aria-hidden="true" width="0" height="0">${symbols.join("")}</svg>`,
    draw: (i, { x, y, size }) =>
      `<use href="#${id}-${i}" x="${short(x)}" y="${short(y)}" width="${short(size)}" height="${short(size)}"/>`,
  };
}

/** `planes` is [3, H, W]. */
async function encoded(planes: Uint8Array, { height, width }: ImagePlan, mostPixels: number): Promise<Buffer> {
  const plane = height * width;
  const rgb = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = planes[c * plane + i] ?? 0;
  return loadSharp()(rgb, { raw: { width, height, channels: 3 } })
    .resize({ width: mostPixels, height: mostPixels, fit: "inside", withoutEnlargement: true })
    .webp({ quality: 82 })
    .toBuffer();
}
