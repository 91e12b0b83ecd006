/** What training sees in the place of a bad image: another one, drawn from (seed, epoch, number of the image). */
import { imagesUnreadable } from "../errors";
import { randomAt } from "../random/random";
import type { Box, Size } from "./crop";
import type { Cutout } from "./resample";
import type { ImageSource } from "./source";

/** Bad images in a row that end a run, whatever share of them is allowed. */
const mostDrawn = 64;

export interface WantedImage {
  readonly seed: number;
  readonly epoch: number;
  readonly index: number;
  readonly choose: (size: Size) => Box;
}

/**
 * Draws from all images, whatever their classes: training asks for none, and a class may have one image. The draw depends on
 * nothing that was met before, so every thread, and a resumed run, draws the same.
 */
export async function cutOrReplace(source: ImageSource, { seed, epoch, index, choose }: WantedImage): Promise<Cutout> {
  const own = await source.cut(index, choose);
  if (!("why" in own)) return own;
  const random = randomAt({ seed, purpose: "data.replacement", step: epoch, sample: index });
  for (let drawn = 0; drawn < mostDrawn; drawn++) {
    const other = await source.cut(random.integer(source.images), choose);
    if (!("why" in other)) return other;
  }
  throw imagesUnreadable({ ...own, drawn: mostDrawn });
}
