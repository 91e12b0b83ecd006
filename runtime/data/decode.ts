/**
 * Image files → RGB bytes, by sharp (libvips). JPEG, PNG and WebP of any colour space become 8-bit sRGB; transparency is
 * dropped, as Pillow's convert("RGB") does; pictures are turned upright as their EXIF says, which Pillow does not do.
 * Nothing is shrunk while it is decoded: the box is cut out at full size, and resample.ts resizes as the reference does.
 * (sharp's own resize with the kernel "linear" would save about 1.5 ms of the 5 ms that a 500×375 JPEG costs, but differs
 * by up to 5 of 255, 0.3 on average; shrinking while decoding differs by more.)
 */
import type Sharp from "sharp";
import { requireExternal } from "../engines/external";
import type { Box, Size } from "./crop";
import type { RgbImage } from "./resample";

/** Loaded when it is first asked for: a trainer of rendered scenes does not need it. Throws R101 where it is missing. */
export function loadSharp(): typeof Sharp {
  // the package's own type
  return requireExternal("sharp") as typeof Sharp;
}

/** Decodes the part of an image file that `choose` picks once it knows the size. Throws what sharp throws. */
export async function decodeImage(file: Buffer, choose: (size: Size) => Box): Promise<RgbImage> {
  const sharp = loadSharp();
  // "error": a file that ends early is broken, a harmless warning of a decoder is not.
  const image = sharp(file, { failOn: "error" });
  const { autoOrient } = await image.metadata();
  const box = choose(autoOrient);
  const { data, info } = await image
    .autoOrient()
    .extract(box)
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`it decodes to ${info.channels} channels`);
  return { data, width: info.width, height: info.height };
}

/** Keeps libvips from starting threads of its own: the workers are the threads. */
export async function useOneThread(): Promise<void> {
  const sharp = loadSharp();
  sharp.concurrency(1);
  sharp.cache(false);
}
