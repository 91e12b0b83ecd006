import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLabelledImages, usableOf } from "../../../runtime/data/labelled";
import type { FolderData } from "../../../runtime/experiment";
import {
  experimentOn,
  fileData,
  shapesData,
  temporaryFolder,
  writeImage,
  writeImages,
  writeTwoClasses,
} from "./fixture";

const folderData: FolderData = {
  kind: "folder",
  trainPath: "train",
  validationPath: "held-out",
  trainImages: 20,
  holdOut: 0,
  labels: true,
  maxBadShare: 0.5,
  exifRotation: false,
};
const everything = Number.POSITIVE_INFINITY;

async function root(): Promise<string> {
  const folder = await temporaryFolder();
  await writeTwoClasses(join(folder, "train"));
  await writeImage(join(folder, "held-out/dog/a.png"), [100, 0, 7]);
  await writeImage(join(folder, "held-out/dog/b.png"), [100, 50, 7]);
  return folder;
}

/** Red and green of the middle of each image. */
async function colours(pixels: Promise<Uint8Array>): Promise<string[]> {
  const values = await pixels;
  const plane = 16 * 16;
  return Array.from({ length: values.length / (3 * plane) }, (_, i) => {
    const middle = 3 * plane * i + 8 * 16 + 8;
    return `${values[middle]},${values[middle + plane]}`;
  });
}

test("a folder: labels by class of the train folder, pixels in order", async () => {
  const experiment = experimentOn(folderData);
  const folder = await root();
  const train = await openLabelledImages({ experiment, root: folder, split: "train", limit: everything });
  expect(train.count).toBe(20);
  expect(train.tasks).toEqual([{ name: "class", classes: ["cat", "dog"] }]);
  expect([...train.labels("class")]).toEqual([...Array(10).fill(0), ...Array(10).fill(1)]);
  expect(await colours(train.pixels(8, 4))).toEqual(["0,80", "0,90", "100,0", "100,10"]);
  // Again, now from what was kept, and overlapping.
  expect(await colours(train.pixels(9, 3))).toEqual(["0,90", "100,0", "100,10"]);

  const test = await openLabelledImages({ experiment, root: folder, split: "test", limit: everything });
  expect(test.tasks).toEqual(train.tasks);
  expect([...test.labels("class")]).toEqual([1]);
});

test("a held-out folder: one half to tune on, the other to report on", async () => {
  const folder = await temporaryFolder();
  await writeTwoClasses(join(folder, "train"));
  await writeTwoClasses(join(folder, "held-out"));
  const open = (split: "validation" | "test", limit: number) =>
    openLabelledImages({ experiment: experimentOn(folderData), root: folder, split, limit });
  const halves = [await open("validation", everything), await open("test", everything)];
  expect(halves.map(({ count }) => count)).toEqual([10, 10]);
  const seen = await Promise.all(halves.map((half) => colours(half.pixels(0, 10))));
  expect(new Set(seen.flat()).size).toBe(20);
  // A limit takes some of the same half.
  expect(seen[1]).toEqual(expect.arrayContaining(await colours((await open("test", 4)).pixels(0, 4))));
});

test("of more images than the limit, a fixed choice over all classes", async () => {
  const folder = await root();
  const open = (seed: number) =>
    openLabelledImages({ experiment: experimentOn(folderData, { seed }), root: folder, split: "train", limit: 8 });
  const [one, again, other] = [await open(1), await open(1), await open(2)];
  expect(one.count).toBe(8);
  expect(new Set(one.labels("class"))).toEqual(new Set([0, 1]));
  const seen = await colours(one.pixels(0, 8));
  expect(new Set(seen).size).toBe(8);
  expect(await colours(again.pixels(0, 8))).toEqual(seen);
  expect(await colours(other.pixels(0, 8))).not.toEqual(seen);
  // Pixels and labels are of the same images.
  expect(seen.map((colour) => (colour.startsWith("100") ? 1 : 0))).toEqual([...one.labels("class")]);
});

test("a bad image is said and has no pixels, and no other takes its place", async () => {
  const folder = await root();
  await writeFile(join(folder, "train/cat/9.png"), "no image");
  const bad: string[] = [];
  const train = await openLabelledImages({
    experiment: experimentOn(folderData),
    root: folder,
    split: "train",
    limit: everything,
    badImage: (image) => bad.push(image.file),
  });
  expect(await colours(train.pixels(8, 3))).toEqual(["0,80", "0,0", "100,0"]);
  expect([...(await train.pixels(9, 1))].every((value) => value === 0)).toBe(true);
  expect([8, 9, 10].map(train.isBad)).toEqual([false, true, false]);
  expect(bad).toEqual(["cat/9.png"]);
  const usable = await usableOf(train);
  expect(usable.count).toBe(19);
  expect(await colours(usable.pixels(8, 2))).toEqual(["0,80", "100,0"]);
  expect([...usable.labels("class")].filter((label) => label === 0)).toHaveLength(9);
});

test("without labels there are no tasks", async () => {
  const experiment = experimentOn({ ...folderData, labels: false });
  const train = await openLabelledImages({ experiment, root: await root(), split: "train", limit: 5 });
  expect([train.count, train.tasks]).toEqual([5, []]);
});

test("a held-out class that training has not: R135; no held-out folder: R136 or R130", async () => {
  const folder = await root();
  const open = (data: FolderData) =>
    openLabelledImages({ experiment: experimentOn(data), root: folder, split: "test", limit: 5 });
  await writeImage(join(folder, "held-out/fish/a.png"), [1, 2, 3]);
  await expect(open(folderData)).rejects.toMatchObject({ code: "R135", message: expect.stringContaining('"fish"') });
  await expect(open({ ...folderData, validationPath: null })).rejects.toMatchObject({ code: "R136" });
  await expect(open({ ...folderData, validationPath: "gone" })).rejects.toMatchObject({ code: "R130" });
});

test("shapes: tasks, labels and pixels of a split", async () => {
  const experiment = experimentOn(shapesData);
  const open = (split: "train" | "validation" | "test", limit = everything) =>
    openLabelledImages({ experiment, root: ".", split, limit });
  const train = await open("train");
  const test = await open("test", 5);
  expect([train.count, test.count]).toEqual([20, 5]);
  expect(train.tasks).toEqual([
    { name: "shape", classes: ["sphere", "cube", "cylinder", "cone"] },
    { name: "count", classes: ["1", "2", "3", "4"] },
    { name: "distance", classes: ["4.6–5.6", "5.6–6.6", "6.6–7.6", "7.6–8.6"] },
  ]);
  const pixels = await train.pixels(3, 2);
  expect(pixels).toHaveLength(2 * 3 * 16 * 16);
  expect(await train.pixels(4, 1)).toEqual(pixels.slice(3 * 16 * 16));
  expect(await test.pixels(4, 1)).not.toEqual(pixels.slice(3 * 16 * 16));
  expect(() => train.labels("colour")).toThrow("internal: the images have no labels");
});

test("views: the same images cut anew by number, and the same for the same number", async () => {
  const experiment = experimentOn(shapesData);
  const scenes = await openLabelledImages({ experiment, root: ".", split: "train", limit: 4 });
  const augmentation = { cropScale: [0.3, 0.5], cropAspect: [1, 1], horizontalFlip: true } as const;
  const [first, again, other] = [
    await scenes.views(0, 4, { view: 0, augmentation }),
    await scenes.views(0, 4, { view: 0, augmentation }),
    await scenes.views(0, 4, { view: 1, augmentation }),
  ];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  // Any part of them, too.
  expect(await scenes.views(2, 1, { view: 0, augmentation })).toEqual(
    first.slice(first.length / 2, (first.length / 4) * 3),
  );
  const whole = { cropScale: [1, 1], cropAspect: [1, 1], horizontalFlip: false } as const;
  expect(await scenes.views(0, 4, { view: 5, augmentation: whole })).toEqual(await scenes.pixels(0, 4));
});

test.each(["folder", "webdataset", "parquet"] as const)(
  "%s: labels, and held-out images apart from the others",
  async (kind) => {
    const root = await temporaryFolder();
    await writeImages[kind](root);
    const experiment = experimentOn({ ...fileData[kind], holdOut: 0.4 });
    const open = (split: "train" | "validation" | "test") =>
      openLabelledImages({ experiment, root, split, limit: everything });
    const splits = [await open("train"), await open("validation"), await open("test")];
    const seen: string[] = [];
    for (const split of splits) {
      expect(split.tasks.map(({ name, classes }) => [name, classes.length])).toEqual([["class", 2]]);
      const found = await colours(split.pixels(0, split.count));
      // Red says the class.
      expect(found.map((colour) => Number(colour.split(",")[0]) / 100)).toEqual([...split.labels("class")]);
      seen.push(...found);
      const holder = split.holder(0);
      expect(kind === "folder" ? holder === split.file(0) : split.file(0)?.startsWith(holder ?? "none")).toBe(true);
    }
    expect(new Set(seen).size).toBe(20);
  },
);
