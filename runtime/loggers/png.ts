/** RGB bytes as a PNG file, by sharp, off this thread. */
import { loadSharp } from "../data/decode";
import { resolveExternal } from "../engines/external";

export interface Rgb {
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel, row after row. */
  readonly data: Uint8Array;
}

export type PngEncoder = (rgb: Rgb) => Promise<Uint8Array>;

/** Null where sharp is not installed: a trainer of rendered scenes does without it. */
export function pngEncoder(): PngEncoder | null {
  if (resolveExternal("sharp") === undefined) return null;
  return ({ width, height, data }) =>
    loadSharp()(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
}
