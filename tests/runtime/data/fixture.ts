/** Experiments over scenes and folders, and folders of small images to run them on. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { Header } from "tar/header";
import { onTestFinished } from "vitest";
import type { Cutout, RgbImage } from "../../../runtime/data/resample";
import type { DataPlan, FileData, IJepaExperiment, ShapesData } from "../../../runtime/experiment";
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
export function experimentOn(data: DataPlan, changes: Partial<IJepaExperiment> = {}): IJepaExperiment {
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

/** The box alone. */
export function pixelsOf({ image, box: { left, top, width, height } }: Cutout): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((top + row) * image.width + left);
    data.set(image.data.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { data, width, height };
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

/** Bytes of a tar file with these members, in their order. */
export function tarOf(members: readonly (readonly [name: string, data: Uint8Array | string])[]): Buffer {
  const parts = members.flatMap(([path, data]) => {
    const body = Buffer.from(data);
    const header = new Header({ path, size: body.length, mode: 0o644, type: "File" });
    header.encode();
    return [header.block ?? Buffer.alloc(512), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** The images of writeTwoClasses in four shards of five, labels beside them: 0 and 1. */
export async function writeShards(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (let shard = 0; shard < 4; shard++) {
    const members: [string, Uint8Array | string][] = [];
    for (let at = 5 * shard; at < 5 * shard + 5; at++) {
      const [c, i] = [at % 2, Math.floor(at / 2)];
      const background = { r: 100 * c, g: 10 * i, b: 7 };
      const image = await sharp({ create: { width: 20, height: 16, channels: 3, background } })
        .png()
        .toBuffer();
      const key = String(at).padStart(6, "0");
      members.push([`${key}.png`, image], [`${key}.cls`, String(c)]);
    }
    await writeFile(join(root, `train-${String(shard).padStart(6, "0")}.tar`), tarOf(members));
  }
}

/** The shards of a folder, compressed: `ending` is .tar.gz or .tgz. */
export async function gzipShards(root: string, ending = ".tar.gz"): Promise<void> {
  for (const name of await readdir(root)) {
    const path = join(root, name);
    await writeFile(path.replace(/\.tar$/, ending), gzipSync(await readFile(path)));
    await rm(path);
  }
}

/** The same images in two parquet files, and six to validate on. */
export async function writeParquet(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  await cp(new URL("./parquet/made/", import.meta.url), root, { recursive: true });
}

const read = {
  validationPath: null,
  trainImages: 20,
  holdOut: 0,
  labels: true,
  maxBadShare: 0.5,
  exifRotation: false,
} as const;

/** The images of writeTwoClasses, in whatever holds them. */
export const fileData: { readonly [K in FileData["kind"]]: FileData & { readonly kind: K } } = {
  folder: { kind: "folder", trainPath: ".", ...read },
  webdataset: { kind: "webdataset", trainPath: "train-{000000..000003}.tar", ...read, shuffleBuffer: 6 },
  parquet: {
    kind: "parquet",
    trainPath: "train-*.parquet",
    ...read,
    shuffleBuffer: 6,
    imageColumn: "image",
    labelColumn: "label",
  },
};

export const writeImages: { readonly [K in FileData["kind"]]: (root: string) => Promise<void> } = {
  folder: writeTwoClasses,
  webdataset: writeShards,
  parquet: writeParquet,
};
