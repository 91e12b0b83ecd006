/** The images of one split, rendered or decoded, behind one function. */
import { UserError } from "../errors";
import type { FileData, ShapesData } from "../experiment";
import { type BadImage, badImageFlags, badImageOf } from "./bad-image";
import type { Box, Size } from "./crop";
import { decodeImage } from "./decode";
import type { ImageSet } from "./image-set";
import { usualPatienceMs } from "./read-patiently";
import { openReader, type ReaderPlan } from "./reader";
import type { Cutout } from "./resample";
import { openScenes, type SceneCacheMemory } from "./scene-cache";
import type { Split } from "./shapes/shapes";

/** What a thread needs to open the images; may be sent to other threads. */
export type SourcePlan =
  | { readonly kind: "shapes"; readonly data: ShapesData; readonly split: Split; readonly cache: SceneCacheMemory }
  | {
      readonly kind: "files";
      readonly reader: ReaderPlan;
      readonly exifRotation: boolean;
      /** See badImageFlags. */
      readonly bad: SharedArrayBuffer;
      readonly patienceMs: number;
    };

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
  const reader = openReader(plan.reader, plan.patienceMs);
  const flags = badImageFlags(plan.bad);
  const { exifRotation } = plan;
  return {
    images: reader.images,
    async cut(index, choose) {
      const file = reader.name(index);
      const known = flags.at(index);
      if (known !== null) return { file, reason: known, why: "found before" };
      try {
        return await decodeImage(await reader.bytes(index), choose, { exifRotation });
      } catch (error) {
        if (error instanceof UserError) throw error;
        const found = badImageOf(file, error);
        if (flags.mark(index, found.reason)) bad(found);
        return found;
      }
    },
  };
}

export function fileSource(
  { reader, images }: ImageSet,
  { exifRotation }: Pick<FileData, "exifRotation">,
  patienceMs: number = usualPatienceMs,
): SourcePlan {
  return { kind: "files", reader, exifRotation, bad: new SharedArrayBuffer(images), patienceMs };
}
