/**
 * Image files → RGB bytes, as Pillow's `Image.open(file).convert("RGB")` gives them: the first picture, transparency
 * dropped, colour profiles passed over, CMYK and 16-bit grey by Pillow's arithmetic. Every format gives Pillow's bytes but
 * AVIF, whose decoders interpolate colour differently (tests/runtime/data/pillow.test.ts). JPEG is decoded by libjpeg-turbo
 * where it is installed (jpeg/), and all else by sharp (libvips), which gives the same bytes of a JPEG at four times the cost.
 * Nothing is shrunk while it is decoded: the box is cut out at full size, and resample.ts resizes as the reference does.
 * (sharp's own resize with the kernel "linear" differs by up to 5 of 255, 0.3 on average; shrinking while decoding by more.)
 */
import type Sharp from "sharp";
import { requireExternal } from "../engines/external";
import type { Box, Size } from "./crop";
import { withoutTransparency } from "./gif";
import { formatOf } from "./image-format";
import { cutJpeg } from "./jpeg/cut-jpeg";
import type { Cutout, RgbImage } from "./resample";

/** Loaded when it is first asked for: a trainer of rendered scenes does not need it. Throws R101 where it is missing. */
export function loadSharp(): typeof Sharp {
  // the package's own type
  return requireExternal("sharp") as typeof Sharp;
}

export interface DecodeOptions {
  /** Turns the picture upright as its EXIF says; torchvision does not. */
  readonly exifRotation?: boolean;
}

/**
 * Decodes the part of an image file that `choose` picks once it knows the size: a box of what had to be decoded for it.
 * `choose` may be asked twice. Throws what sharp throws.
 */
export async function decodeImage(
  file: Uint8Array,
  choose: (size: Size) => Box,
  { exifRotation = false }: DecodeOptions = {},
): Promise<Cutout> {
  if (file.length === 0) throw new Error("it is an empty file");
  const format = formatOf(file);
  if (format === null) throw new Error("unsupported image format: its first bytes are those of none that is read");
  const cut = format === "jpeg" && !exifRotation ? cutJpeg(file, choose) : null;
  if (cut !== null) return cut;
  const image = await decodeBySharp(file, choose, { exifRotation });
  return { image, box: { left: 0, top: 0, width: image.width, height: image.height } };
}

/** The same, nothing but the box, of any format that is read. */
export async function decodeBySharp(
  file: Uint8Array,
  choose: (size: Size) => Box,
  { exifRotation = false }: DecodeOptions = {},
): Promise<RgbImage> {
  const sharp = loadSharp();
  // "error": a file that ends early is broken, a harmless warning of a decoder is not.
  const image = sharp(formatOf(file) === "gif" ? withoutTransparency(file) : file, {
    failOn: "error",
    ignoreIcc: true,
  });
  const { width, height, autoOrient, space, channels } = await image.metadata();
  const box = choose(exifRotation ? autoOrient : { width, height });
  const cut = (exifRotation ? image.autoOrient() : image).extract(box);
  const size = { width: box.width, height: box.height };
  if (space === "cmyk") {
    const { data, info } = await cut
      .pipelineColourspace("cmyk")
      .toColourspace("cmyk")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return { data: rgbOfCmyk(data, info.channels), ...size };
  }
  if (space === "grey16" && channels === 1) {
    const data = await cut.toColourspace("grey16").raw({ depth: "ushort" }).toBuffer();
    return { data: rgbOfGrey16(data), ...size };
  }
  const { data, info } = await cut
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`it decodes to ${info.channels} channels`);
  return { data, ...size };
}

/** Of bytes c, m, y, k: (255 − k) − c·(255 − k)/255, rounded. */
function rgbOfCmyk(data: Uint8Array, channels: number): Uint8Array {
  if (channels !== 4) throw new Error(`it decodes to ${channels} channels of CMYK`);
  const rgb = new Uint8Array((3 * data.length) / 4);
  for (let from = 0, at = 0; from < data.length; from += 4) {
    const light = 255 - (data[from + 3] ?? 0);
    for (let ink = 0; ink < 3; ink++) {
      const product = (data[from + ink] ?? 0) * light + 128;
      rgb[at++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}

/** Above 255 it is white, however dark that makes the rest: so Pillow reads 16-bit grey, and only that. */
function rgbOfGrey16(data: Buffer): Uint8Array {
  const rgb = new Uint8Array((3 * data.length) / 2);
  for (let from = 0, at = 0; from < data.length; from += 2, at += 3) rgb.fill(grey(data, from), at, at + 3);
  return rgb;
}

/** sharp gives numbers in the order of the machine, and Node runs on none but little-endian ones. */
const grey = (data: Buffer, at: number): number => Math.min(255, data.readUInt16LE(at));

/** Keeps libvips from starting threads of its own: the workers are the threads. */
export async function useOneThread(): Promise<void> {
  const sharp = loadSharp();
  sharp.concurrency(1);
  sharp.cache(false);
}
