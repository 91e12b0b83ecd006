/** What a folder of images is for a first experiment: its training and validation part, and the size of a usual image. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { type FolderLook, lookAtFolder } from "../../compiler/spec/image-folder";

/** Spread over the folder, to know their sizes. */
const SAMPLES = 48;
const validationNames = ["val", "valid", "validation", "test"] as const;

export interface ImageFolder {
  /** Training images, as the spec names them, and validation images where there are some. */
  readonly train: string;
  readonly validation: string | null;
  readonly look: FolderLook;
  /** Shorter side of a usual image, in pixels; null where none could be read. */
  readonly side: number | null;
}

/** Null where there is no image. `shown` is the folder as the spec names it. */
export async function folderOf(path: string, shown: string): Promise<ImageFolder | null> {
  const isSplit = existsSync(join(path, "train"));
  const validation = isSplit ? validationNames.find((name) => existsSync(join(path, name))) : undefined;
  const root = isSplit ? join(path, "train") : path;
  const look = lookAtFolder(root);
  if (look === null || look.images.length === 0) return null;
  const step = Math.max(1, Math.floor(look.images.length / SAMPLES));
  const sampled = look.images.filter((_, i) => i % step === 0);
  const sides = (await Promise.all(sampled.map((name) => shorterSide(join(root, name))))).filter(
    (side) => side !== null,
  );
  const sorted = [...sides].sort((a, b) => a - b);
  return {
    train: isSplit ? `${shown}/train` : shown,
    validation: validation === undefined ? null : `${shown}/${validation}`,
    look,
    side: sorted[Math.floor(sorted.length / 2)] ?? null,
  };
}

async function shorterSide(file: string): Promise<number | null> {
  try {
    const { width, height } = await sharp(file).metadata();
    return Math.min(width, height);
  } catch {
    return null; // a broken file: the trainer replaces it
  }
}
