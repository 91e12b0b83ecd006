import { createHash } from "node:crypto";
import { renameSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type BadImage, countsOf, countsText } from "../../../runtime/data/bad-image";
import {
  imagesInTurn,
  openTrainingData,
  type TrainingBatch,
  type TrainingDataOptions,
} from "../../../runtime/data/training";
import type { DataPlan, Experiment } from "../../../runtime/experiment";
import {
  experimentOn,
  fileData,
  gzipShards,
  shapesData,
  temporaryFolder,
  writeImages,
  writeTwoClasses,
} from "./fixture";

const whole = { fromStep: 0, toStep: 10 };
const folderData = fileData.folder;
const fileKinds = ["folder", "webdataset", "parquet"] as const;

// Where `sharp` is found from, and git and linters do not look.
const workerFile = new URL(`../../../node_modules/.cache/ijepa/worker-entry.${process.pid}.cjs`, import.meta.url)
  .pathname;

beforeAll(async () => {
  await build({
    entryPoints: [new URL("./worker-entry.ts", import.meta.url).pathname],
    outfile: workerFile,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["sharp"],
  });
});
afterAll(() => rm(workerFile, { force: true }));

function lineOf({ step, microStep, images }: Pick<TrainingBatch, "step" | "microStep" | "images">): string {
  return `${step}.${microStep} ${createHash("sha256").update(images).digest("hex").slice(0, 16)}`;
}

/** One line for each batch: step, micro-step, hash of the pixels. */
async function batchesOf(
  options: TrainingDataOptions,
  range: { readonly fromStep: number; readonly toStep: number },
): Promise<string[]> {
  const data = await openTrainingData(options);
  const lines: string[] = [];
  try {
    for await (const { step, microStep, images, release } of data.batches(range)) {
      expect(images.buffer).toBeInstanceOf(ArrayBuffer); // engines refuse shared memory
      lines.push(lineOf({ step, microStep, images }));
      release();
    }
  } finally {
    await data.close();
  }
  return lines;
}

describe.each(["shapes", ...fileKinds] as const)("%s", (kind) => {
  async function sourceOf(): Promise<{ experiment: Experiment; root: string }> {
    const root = await temporaryFolder();
    if (kind !== "shapes") await writeImages[kind](root);
    return { experiment: experimentOn(kind === "shapes" ? shapesData : fileData[kind]), root };
  }

  test("the same batches from this thread, one worker and two", async () => {
    const source = await sourceOf();
    const range = { fromStep: 0, toStep: 10 };
    const here = await batchesOf(source, range);
    expect(here).toHaveLength(20); // 10 steps of 2 micro-batches
    expect(new Set(here.map((line) => line.split(" ")[1])).size).toBe(20);
    expect(await batchesOf({ ...source, workerFile, workers: 1 }, range)).toEqual(here);
    expect(await batchesOf({ ...source, workerFile, workers: 2 }, range)).toEqual(here);
  });

  test("a run that begins in the middle sees what the whole run saw there", async () => {
    const source = await sourceOf();
    const all = await batchesOf(source, { fromStep: 0, toStep: 10 });
    expect(await batchesOf({ ...source, workerFile, workers: 2 }, { fromStep: 3, toStep: 8 })).toEqual(
      all.slice(6, 16),
    );
  });
});

test("shards that are compressed give the batches of plain ones, whatever the workers, from any step on", async () => {
  const [root, plainRoot] = [await temporaryFolder(), await temporaryFolder()];
  vi.stubEnv("IJEPA_SHARD_CACHE", await temporaryFolder());
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  for (const folder of [root, plainRoot]) await writeImages.webdataset(folder);
  await gzipShards(root);
  const plain = await batchesOf({ experiment: experimentOn(fileData.webdataset), root: plainRoot }, whole);
  const experiment = experimentOn({ ...fileData.webdataset, trainPath: "train-{000000..000003}.tar.gz" });
  expect(await batchesOf({ experiment, root }, whole)).toEqual(plain);
  for (const workers of [1, 2]) {
    const range = { fromStep: 3, toStep: 8 };
    expect(await batchesOf({ experiment, root, workerFile, workers }, range)).toEqual(plain.slice(6, 16));
  }
});

test("another seed, other batches", async () => {
  const root = await temporaryFolder();
  const range = { fromStep: 0, toStep: 1 };
  const one = await batchesOf({ experiment: experimentOn(shapesData), root }, range);
  const two = await batchesOf({ experiment: experimentOn(shapesData, { seed: 8 }), root }, range);
  expect(one).not.toEqual(two);
});

/** The red and green of flat colours say which image it is: (100·class, 10·number). */
async function imagesSeen(experiment: Experiment, root: string, steps: number): Promise<string[]> {
  const data = await openTrainingData({ experiment, root });
  const { height, width } = experiment.image;
  const plane = height * width;
  const seen: string[] = [];
  for await (const { images } of data.batches({ fromStep: 0, toStep: steps })) {
    for (let at = 0; at < images.length; at += 3 * plane) {
      const [red = 0, green = 0] = [images[at], images[at + plane]];
      seen.push(`${red / 100}.${green / 10}`);
    }
  }
  return seen;
}

const everyImage = ["0", "1"].flatMap((c) => Array.from({ length: 10 }, (_, i) => `${c}.${i}`));

test.each(fileKinds)("%s: an epoch visits every image once, in another order than the next", async (kind) => {
  const root = await temporaryFolder();
  await writeImages[kind](root);
  const seen = await imagesSeen(experimentOn(fileData[kind]), root, 10);
  const [first, second] = [seen.slice(0, 20), seen.slice(20)];
  expect([...first].sort()).toEqual(everyImage);
  expect([...second].sort()).toEqual(everyImage);
  expect(first).not.toEqual(everyImage);
  expect(first).not.toEqual(second);
});

test.each(fileKinds)("%s: ranks see together what one sees", async (kind) => {
  const root = await temporaryFolder();
  await writeImages[kind](root);
  const experiment = experimentOn(fileData[kind]);
  const of = async (rank: number, size: number): Promise<(readonly string[])[]> => {
    const data = await openTrainingData({ experiment, root, place: { rank, size } });
    const lines: string[][] = [];
    for await (const { images, release } of data.batches({ fromStep: 3, toStep: 7 })) {
      const bytes = images.length / 2;
      lines.push(
        [0, 1].map((i) =>
          createHash("sha256")
            .update(images.subarray(i * bytes, (i + 1) * bytes))
            .digest("hex"),
        ),
      );
      release();
    }
    await data.close();
    return lines;
  };
  const [alone, first, second] = [await of(0, 1), await of(0, 2), await of(1, 2)];
  // Two micro-batches of two images each step; of two ranks each has one of them.
  expect(first.flatMap((batch, step) => [batch, second[step]])).toEqual(alone);
});

test("an incomplete last batch is dropped", async () => {
  const root = await temporaryFolder();
  await writeTwoClasses(root);
  const experiment = experimentOn(folderData);
  const optimizer = { ...experiment.optimizer, globalBatch: 6, stepsPerEpoch: 3 };
  const seen = await imagesSeen({ ...experiment, optimizer }, root, 6);
  expect(new Set(seen.slice(0, 18)).size).toBe(18);
  expect(new Set(seen.slice(18)).size).toBe(18);
});

describe("bad images", () => {
  const names = ["cat/4.png", "cat/9.png", "dog/3.png", "dog/5.png"];
  async function withBadImages(): Promise<string> {
    const root = await temporaryFolder();
    await writeTwoClasses(root);
    for (const name of ["cat/4.png", "cat/9.png"]) await writeFile(join(root, name), "no image");
    await writeFile(join(root, "dog/3.png"), "");
    const whole = await readFile(join(root, "dog/5.png"));
    await writeFile(join(root, "dog/5.png"), whole.subarray(0, whole.length - 30));
    return root;
  }

  test("are named once with the reason, counted, and replaced by others that differ from epoch to epoch", async () => {
    const root = await withBadImages();
    const experiment = experimentOn(folderData);
    const bad: BadImage[] = [];
    const data = await openTrainingData({ experiment, root, badImage: (image) => bad.push(image) });
    for await (const batch of data.batches({ fromStep: 0, toStep: 10 })) batch.release();
    const reasonOf = new Map(bad.map(({ file, reason }) => [file, reason]));
    expect(names.map((name) => reasonOf.get(name))).toEqual(["unknown format", "unknown format", "empty", "damaged"]);
    expect(bad).toHaveLength(4);
    expect(countsText(countsOf(data.badImages))).toBe("1 empty, 2 unknown format, 1 damaged");

    const seen = await imagesSeen(experiment, root, 10);
    const good = everyImage.filter((name) => !["0.4", "0.9", "1.3", "1.5"].includes(name));
    const extra = (epoch: readonly string[]): string[] => {
      const left = [...epoch].sort();
      for (const name of good) left.splice(left.indexOf(name), 1);
      return left;
    };
    expect(new Set(seen)).toEqual(new Set(good));
    const [first, second] = [extra(seen.slice(0, 20)), extra(seen.slice(20))];
    expect([first.length, second.length]).toEqual([4, 4]);
    expect(first).not.toEqual(second);
  });

  test("give the same bytes with any number of workers, and after a resume", async () => {
    const root = await withBadImages();
    const experiment = experimentOn(folderData);
    const range = { fromStep: 0, toStep: 10 };
    const here = await batchesOf({ experiment, root }, range);
    expect(await batchesOf({ experiment, root, workerFile, workers: 2 }, range)).toEqual(here);
    expect(await batchesOf({ experiment, root }, { fromStep: 7, toStep: 10 })).toEqual(here.slice(14));
  });

  test("of a class with one image stop nothing", async () => {
    const root = await temporaryFolder();
    await writeTwoClasses(root);
    await mkdir(join(root, "emu"));
    await writeFile(join(root, "emu/0.png"), "no image");
    const experiment = experimentOn({ ...folderData, trainImages: 21, maxBadShare: 0.05 });
    const data = await openTrainingData({ experiment, root });
    for await (const batch of data.batches({ fromStep: 0, toStep: 10 })) batch.release();
    expect(data.badImages.map(({ file }) => file)).toEqual(["emu/0.png"]);
  });

  test.each([0, 2])("more than their share stop the run: R129 with counts, with %i workers", async (workers) => {
    const root = await withBadImages();
    const of = workers > 0 ? { workers, workerFile } : {};
    const allowing = (maxBadShare: number) =>
      batchesOf({ experiment: experimentOn({ ...folderData, maxBadShare }), root, ...of }, { fromStep: 0, toStep: 10 });
    expect(await allowing(0.2)).toHaveLength(20);
    await expect(allowing(0.15)).rejects.toMatchObject({ name: "UserError", code: "R129" });
    await expect(allowing(0)).rejects.toThrow(
      /1 of 20 images cannot be used \(1 [a-z ]+\), .*share of 0 that data\.max/,
    );
  });

  test.each([0, 1])("and no others end the run, whatever the share: R137, with %i workers", async (workers) => {
    const root = await temporaryFolder();
    for (let i = 0; i < 20; i++) await writeFile(join(root, `${i}.png`), "no image");
    const experiment = experimentOn({ ...folderData, labels: false, maxBadShare: 1 });
    const failure = batchesOf(
      { experiment, root, workers, ...(workers > 0 ? { workerFile } : {}) },
      { fromStep: 0, toStep: 1 },
    );
    await expect(failure).rejects.toMatchObject({ name: "UserError", code: "R137" });
    await expect(failure).rejects.toThrow(/\.png cannot be used .*neither can 64 other images/);
  });
});

describe("a file system that fails for a while", () => {
  const range = { fromStep: 0, toStep: 10 };

  test("changes nothing: what is away comes back and is read", async () => {
    const root = await temporaryFolder();
    await writeTwoClasses(root);
    const experiment = experimentOn(folderData);
    const want = await batchesOf({ experiment, root }, range);
    const data = await openTrainingData({ experiment, root });
    await rename(join(root, "cat"), join(root, ".away"));
    const back = setTimeout(() => renameSync(join(root, ".away"), join(root, "cat")), 150);
    const got: string[] = [];
    for await (const { step, microStep, images } of data.batches(range)) got.push(lineOf({ step, microStep, images }));
    clearTimeout(back);
    expect(got).toEqual(want);
    expect(data.badImages).toEqual([]);
  });

  test("is taken for missing files when they do not come back", async () => {
    const root = await temporaryFolder();
    await writeTwoClasses(root);
    const experiment = experimentOn(folderData);
    const data = await openTrainingData({ experiment, root, patienceMs: 20 });
    await rm(join(root, "cat/4.png"));
    for await (const batch of data.batches(range)) batch.release();
    expect(data.badImages).toEqual([{ file: "cat/4.png", reason: "missing", why: "no such file or folder" }]);
  });

  test.each([0, 1])("ends the run when the whole folder is gone: R139, with %i workers", async (workers) => {
    const root = await temporaryFolder();
    await writeTwoClasses(join(root, "images"));
    const experiment = experimentOn({ ...folderData, trainPath: "images" });
    const of = workers > 0 ? { workers, workerFile } : {};
    const data = await openTrainingData({ experiment, root, patienceMs: 20, ...of });
    await rename(join(root, "images"), join(root, "moved"));
    const next = imagesInTurn(data, range);
    await expect(next()).rejects.toMatchObject({ code: "R139", message: expect.stringContaining("went away") });
    await data.close();
  });
});

describe("what the experiment counts on", () => {
  const open = (data: DataPlan, root: string, warn?: (message: string) => void) =>
    openTrainingData({ experiment: experimentOn(data), root, ...(warn && { warn }) });

  test("fewer images: R133, with the numbers", async () => {
    const root = await temporaryFolder();
    await writeTwoClasses(root);
    const failure = open({ ...folderData, trainImages: 21 }, root);
    await expect(failure).rejects.toMatchObject({ code: "R133" });
    await expect(failure).rejects.toThrow(/holds 20 images, but the experiment was compiled for 21/);
  });

  test("more images: all are used, with a warning", async () => {
    const root = await temporaryFolder();
    await writeTwoClasses(root);
    const warnings: string[] = [];
    const data = await open({ ...folderData, trainImages: 16 }, root, (message) => warnings.push(message));
    expect(data.imageCount).toBe(20);
    expect(warnings).toEqual([expect.stringMatching(/holds 20 images, more than the 16/)]);
  });
});

test("images in turn reuse memory that is given back, and end with the range", async () => {
  const data = await openTrainingData({
    experiment: experimentOn(shapesData),
    root: ".",
    workerFile,
    workers: 1,
  });
  const next = imagesInTurn(data, { fromStep: 0, toStep: 4 });
  const sizes: number[] = [];
  let last: Uint8Array | undefined;
  for (let i = 0; i < 8; i++) {
    const images = await next();
    sizes.push(images.length);
    // What was given back is either gone to the worker (detached) or waits to go.
    if (last !== undefined) expect(last.buffer).not.toBe(images.buffer);
    last = images;
  }
  expect(sizes).toEqual(Array.from({ length: 8 }, () => 2 * 3 * 16 * 16));
  await expect(next()).rejects.toThrow("internal: there are no batches");
  await data.close();
});

test("leaving the loop early and closing ends the workers", async () => {
  const data = await openTrainingData({ experiment: experimentOn(shapesData), root: ".", workerFile, workers: 2 });
  for await (const { step } of data.batches({ fromStep: 0, toStep: 10 })) if (step === 1) break;
  await data.close();
});

test("a worker that cannot start is said: R138", async () => {
  const broken = join(await temporaryFolder(), "broken.cjs");
  await writeFile(broken, "throw new Error('no such thing')");
  const options = { experiment: experimentOn(shapesData), root: ".", workerFile: broken, workers: 1 };
  const failure = batchesOf(options, { fromStep: 0, toStep: 1 });
  await expect(failure).rejects.toMatchObject({ code: "R138" });
  await expect(failure).rejects.toThrow(/no such thing/);
});
