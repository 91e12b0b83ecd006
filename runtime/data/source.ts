/** The images of one split, rendered or decoded, behind one function. */
import { UserError } from "../errors";
import type { ShapesData } from "../experiment";
import { type BadImage, badImageFlags, badImageOf } from "./bad-image";
import type { Box, Size } from "./crop";
import { decodeImage } from "./decode";
import { type FileListMemory, openFileList } from "./file-list";
import type { ImageFolder } from "./folder";
import { patientReader, usualPatienceMs } from "./read-patiently";
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
      /** See badImageFlags. */
      readonly bad: SharedArrayBuffer;
      readonly patienceMs: number;
    };

/** A box of an image. */
export interface Cutout {
  readonly image: RgbImage;
  readonly box: Box;
}

export interface ImageSource {
  readonly images: number;
  /** The part of image `index` that `choose` picks; or why there is none, which `bad` hears too when it is found out. */
  cut(index: number, choose: (size: Size) => Box): Promise<Cutout | BadImage>;
}

export function openSource(plan: SourcePlan, bad: (image: BadImage) => void): ImageSource {
  if (plan.kind === "shapes") {
    const sceneAt = openScenes(plan.data, plan.split, plan.cache);
    return {
      images: plan.data.trainImages,
      async cut(index, choose) {
        const image = sceneAt(index);
        return { image, box: choose(image) };
      },
    };
  }
  const files = openFileList(plan.files);
  const flags = badImageFlags(plan.bad);
  const reader = patientReader({ folder: plan.path, patienceMs: plan.patienceMs });
  return {
    images: files.length,
    async cut(index, choose) {
      const file = files.at(index);
      const known = flags.at(index);
      if (known !== null) return { file, reason: known, why: "found before" };
      try {
        const image = await decodeImage(await reader.read(`${plan.path}/${file}`), choose);
        return { image, box: { left: 0, top: 0, width: image.width, height: image.height } };
      } catch (error) {
        if (error instanceof UserError) throw error;
        const found = badImageOf(file, error);
        if (flags.mark(index, found.reason)) bad(found);
        return found;
      }
    },
  };
}

export function folderSource({ path, files }: ImageFolder, patienceMs: number = usualPatienceMs): SourcePlan {
  return { kind: "folder", path, files: files.memory, bad: new SharedArrayBuffer(files.length), patienceMs };
}
