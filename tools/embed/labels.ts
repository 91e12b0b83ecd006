/** The class of each image that `ijepa embed` is given, where there is one. */
import { relative } from "node:path";
import type { LabelledImages } from "../../runtime/data/labelled";
import { UserError } from "../../runtime/errors";
import { givenImages, heldOutNames } from "../given-images";

/**
 * Of a folder, the names of the folders in it, or in `train`, `val` and the like; an image beside them has none. Of shards and tables,
 * what their labels say: where only some images have one (R126), none is given and a note says so.
 */
export async function openWithLabels(
  given: string,
  open: (labels: boolean) => Promise<LabelledImages>,
): Promise<{
  readonly images: LabelledImages;
  readonly labels: readonly (string | null)[] | null;
  readonly notes: readonly string[];
}> {
  const found = givenImages(given);
  if (found?.kind === "folder") {
    const images = await open(false);
    const isSplit = found.train !== "";
    const labels = Array.from({ length: images.count }, (_, i) =>
      classOf(relative(given, images.file(i) ?? "").split(/[\\/]/), isSplit),
    );
    return { images, labels: labels.some((label) => label !== null) ? labels : null, notes: [] };
  }
  try {
    const images = await open(true);
    const [task] = images.tasks;
    if (task === undefined) return { images, labels: null, notes: [] };
    const numbers = images.labels(task.name);
    return { images, labels: Array.from(numbers, (number) => task.classes[number] ?? null), notes: [] };
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "R126") throw error;
    return { images: await open(false), labels: null, notes: [`${error.message} No label is written.`] };
  }
}

function classOf(parts: readonly string[], isSplit: boolean): string | null {
  const names: readonly (string | undefined)[] = ["train", ...heldOutNames];
  const at = isSplit && names.includes(parts[0]) ? 1 : 0;
  return parts.length > at + 1 ? (parts[at] ?? null) : null;
}
