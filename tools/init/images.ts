/** What images are for a first experiment: their training and validation part, their classes, and the size of a usual image. */
import sharp from "sharp";
import type { ImageSet } from "../../runtime/data/image-set";
import { openImages } from "../../runtime/data/open-images";
import { openReader } from "../../runtime/data/reader";
import { UserError } from "../../runtime/errors";
import type { FileData } from "../../runtime/experiment";
import { belowGiven, dataOf, type GivenImages, givenImages } from "../given-images";

export interface LookedImages {
  readonly kind: FileData["kind"];
  /** Training images, as the spec names them, and validation images where there are some. */
  readonly train: string;
  readonly validation: string | null;
  readonly count: number;
  /** Their names; none where they tell nothing apart. */
  readonly classes: readonly string[];
  /** Shorter side of a usual image, in pixels; null where none could be read. */
  readonly side: number | null;
}

/** Spread over the images, to know their sizes. */
const samples = 48;
/** Images without any folder beside class folders, and without a label beside such as have one. */
const withoutClasses: readonly string[] = ["R134", "R126"];
/** No file, no folder, no image. */
const nothing: readonly string[] = ["R121", "R124", "R130", "R132"];

/** Null where there is no image; throws a UserError where they cannot be read. `shown` is what is `given` as the spec names it. */
export async function imagesAt(given: string, shown: string): Promise<LookedImages | null> {
  const found = givenImages(given);
  if (found === null) return null;
  const set = await opened(given, found);
  if (set === null) return null;
  const sides: number[] = [];
  const reader = openReader(set.reader, 0);
  for (let i = 0; i < set.images; i += Math.max(1, Math.floor(set.images / samples))) {
    const side = await shorterSide(() => reader.bytes(i));
    if (side !== null) sides.push(side);
  }
  sides.sort((a, b) => a - b);
  return {
    kind: found.kind,
    train: belowGiven(shown, found.train),
    validation: found.validation === null ? null : belowGiven(shown, found.validation),
    count: set.images,
    // One class alone tells nothing apart.
    classes: set.classes.length > 1 ? set.classes : [],
    side: sides[Math.floor(sides.length / 2)] ?? null,
  };
}

async function opened(given: string, found: GivenImages): Promise<ImageSet | null> {
  const open = (labels: boolean): Promise<ImageSet> => {
    const data = dataOf(given, found, { holdOut: 0, labels });
    return openImages({ root: ".", given: data.trainPath, what: "train" }, data);
  };
  const hasCode = (error: unknown, codes: readonly string[]): boolean =>
    error instanceof UserError && codes.includes(error.code);
  try {
    return await open(true).catch((error: unknown) => {
      if (hasCode(error, withoutClasses)) return open(false);
      throw error;
    });
  } catch (error) {
    if (hasCode(error, nothing)) return null;
    throw error;
  }
}

async function shorterSide(read: () => Promise<Uint8Array>): Promise<number | null> {
  try {
    const { width, height } = await sharp(await read()).metadata();
    return Math.min(width, height);
  } catch {
    return null; // a broken file: the trainer replaces it
  }
}
