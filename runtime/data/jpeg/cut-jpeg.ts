/** The box of a JPEG, without decoding the rest: pixels to the left, right, above and below are not computed, rows below are still checked. */
import type { Box, Size } from "../crop";
import type { Cutout } from "../resample";
import { type JpegHeader, turbojpeg } from "./turbojpeg";

/**
 * Colours at half the width are interpolated from their neighbours, and at the border of an image from fewer; libjpeg-turbo
 * takes the border of the part for one, and does not interpolate at all where the part has two columns of colour or less.
 * So the part is wider than the box. Above and below it looks at the neighbours by itself.
 */
const margins = { left: 8, right: 2 } as const;

/** Null where sharp has to see the file: it may be damaged, or of a kind that is rare. */
export function cutJpeg(file: Uint8Array, choose: (size: Size) => Box): Cutout | null {
  const decoder = turbojpeg();
  const header = decoder?.header(file) ?? null;
  if (decoder === null || header === null) return null;
  const box = choose({ width: header.width, height: header.height });
  if (!isInside(box, header)) return null;
  const part = partAround(box, header);
  const data = new Uint8Array(3 * part.width * part.height);
  if (!decoder.decode(file, part, data)) return null;
  const { width, height } = part;
  return { image: { data, width, height }, box: { ...box, left: box.left - part.left, top: 0 } };
}

const isInside = ({ left, top, width, height }: Box, image: Size): boolean =>
  Math.min(left, top) >= 0 &&
  Math.min(width, height) > 0 &&
  left + width <= image.width &&
  top + height <= image.height;

/** What is decoded for a box: all of its rows, from the border of an MCU on. */
function partAround({ left, top, width, height }: Box, image: JpegHeader): Box {
  const from = Math.max(0, image.mcuWidth * Math.floor((left - margins.left) / image.mcuWidth));
  const to = Math.min(image.width, left + width + margins.right);
  return { left: from, top, width: to - from, height };
}
