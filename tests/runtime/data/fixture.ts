/** Experiments over scenes and folders, and folders of small images to run them on. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { onTestFinished } from "vitest";
import type { DataPlan, Experiment, ShapesData } from "../../../runtime/experiment";
import { tinyExperiment } from "../loop/tiny";

export const shapesData: ShapesData = {
  kind: "shapes",
  trainImages: 20,
  validationImages: 8,
  testImages: 8,
  sceneSize: 24,
  difficulty: 0.5,
  seed: 1,
};

/** 20 images, batches of 4 in micro-batches of 2, five steps an epoch. */
export function experimentOn(data: DataPlan, changes: Partial<Experiment> = {}): Experiment {
  return {
    ...tinyExperiment,
    augmentation: { cropScale: [0.3, 1], cropAspect: [0.75, 4 / 3], horizontalFlip: true },
    data,
    ...changes,
  };
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ijepa-data-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An image of one colour, in the format of its name. */
export async function writeImage(
  path: string,
  [r, g, b]: readonly [number, number, number],
  { width = 20, height = 16 }: { readonly width?: number; readonly height?: number } = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).toFile(path);
}

export async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Two classes of ten PNGs each; image i of class c is the colour (100·c, 10·i, 7). */
export async function writeTwoClasses(root: string): Promise<void> {
  for (const [c, name] of ["cat", "dog"].entries()) {
    for (let i = 0; i < 10; i++) await writeImage(join(root, name, `${i}.png`), [100 * c, 10 * i, 7]);
  }
}
