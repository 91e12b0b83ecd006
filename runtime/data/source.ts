/** The images of one split, rendered or decoded, behind one function. */

import { imagesUnreadable } from "../errors";
import { messageOf } from "../exceptions";
import type { ShapesData } from "../experiment";
import type { Box, Size } from "./crop";
import { decodeFile } from "./decode";
import { type FileListMemory, openFileList } from "./file-list";
import type { ImageFolder } from "./folder";
import type { RgbImage } from "./resample";
import { openScenes, type SceneCacheMemory } from "./scene-cache";
import type { Split } from "./shapes/shapes";

/** What a thread needs to open the images; may be sent to other threads. */
export type SourcePlan =
  | { readonly kind: "shapes"; readonly data: ShapesData; readonly split: Split; readonly cache: SceneCacheMemory }
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly files: FileListMemory;
      readonly classStarts: readonly number[];
    };

/** A box of an image. */
export interface Cutout {
  readonly image: RgbImage;
  readonly box: Box;
}

export interface Replaced {
  readonly file: string;
  readonly why: string;
}

export interface ImageSource {
  /**
   * The part of image `index` that `choose` picks. An image file that cannot be decoded is replaced by the next one of its class (or of the folder, where
   * there are no labels), and `replaced` hears of it once; R137 where 64 in a row cannot be decoded.
   */
  cut(index: number, choose: (size: Size) => Box): Promise<Cutout>;
}

/** Broken files in a row that end a run. */
const mostBroken = 64;

export function openSource(plan: SourcePlan, replaced: (what: Replaced) => void): ImageSource {
  if (plan.kind === "shapes") {
    const sceneAt = openScenes(plan.data, plan.split, plan.cache);
    return {
      async cut(index, choose) {
        const image = sceneAt(index);
        return { image, box: choose(image) };
      },
    };
  }
  const files = openFileList(plan.files);
  const broken = new Map<number, string>();
  return {
    async cut(index, choose) {
      const [begin, end] = spanOf(plan.classStarts, index);
      const tries = Math.min(mostBroken, end - begin);
      for (let step = 0; step < tries; step++) {
        const candidate = begin + ((index - begin + step) % (end - begin));
        if (broken.has(candidate)) continue;
        const name = files.at(candidate);
        try {
          const image = await decodeFile(`${plan.path}/${name}`, choose);
          return { image, box: { left: 0, top: 0, width: image.width, height: image.height } };
        } catch (error) {
          const why = messageOf(error).replaceAll(/\s+/g, " ");
          broken.set(candidate, why);
          replaced({ file: name, why });
        }
      }
      throw imagesUnreadable({
        file: `${plan.path}/${files.at(index)}`,
        why: broken.get(index) ?? "it is broken",
        following: tries - 1,
      });
    },
  };
}

/** The span of files that an image's replacement is taken from. */
function spanOf(classStarts: readonly number[], index: number): readonly [begin: number, end: number] {
  let low = 0;
  let high = classStarts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((classStarts[middle] ?? 0) <= index) low = middle;
    else high = middle;
  }
  return [classStarts[low] ?? 0, classStarts[high] ?? 0];
}

export function folderSource({ path, files, classStarts }: ImageFolder): SourcePlan {
  return { kind: "folder", path, files: files.memory, classStarts };
}
