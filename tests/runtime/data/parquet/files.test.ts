import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../../../runtime/data/decode";
import type { ImageSet, LookOptions } from "../../../../runtime/data/image-set";
import { countRows, openFiles } from "../../../../runtime/data/parquet/files";
import { openReader } from "../../../../runtime/data/reader";
import { pixelsOf, temporaryFolder } from "../fixture";

const made = new URL("./made/", import.meta.url).pathname;
const columns = { imageColumn: "image", labelColumn: "label" };
const data = { ...columns, labels: true, shuffleBuffer: 8 };
const of = (given: string, more: Partial<LookOptions> = {}): LookOptions => ({
  root: made,
  given,
  what: "train",
  ...more,
});

/** Red and green of the images: 100·class and 10·number. */
async function colours(set: ImageSet): Promise<string[]> {
  const reader = openReader(set.reader, 0);
  const whole = (size: { width: number; height: number }) => ({ left: 0, top: 0, ...size });
  return Promise.all(
    Array.from({ length: set.images }, async (_, i) => {
      const { data: rgb } = pixelsOf(await decodeImage(await reader.bytes(i), whole));
      return `${rgb[0]},${rgb[1]}`;
    }),
  );
}

const wanted = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${100 * (i % 2)},${10 * Math.floor(i / 2)}`);

test("files of several row groups in the order of their names, with the classes that the file names", async () => {
  const set = await openFiles(of("train-*.parquet"), data);
  expect([set.images, set.classes, [...set.labels].join("")]).toEqual([20, ["cat", "dog"], "01010101010101010101"]);
  expect(set.shuffle).toEqual({ starts: [0, 4, 8, 11, 14, 17, 20], buffer: 8 });
  expect([set.nameOf(0), set.nameOf(12)]).toEqual(["train-00000-of-00002.parquet#0", "train-00001-of-00002.parquet#1"]);
  expect(set.fileOf(12)).toBe(join(made, "train-00001-of-00002.parquet"));
  expect(await colours(set)).toEqual(wanted(20));
  expect(openReader(set.reader, 0).name(12)).toBe(set.nameOf(12));
});

describe("ways to write the same", () => {
  // Arrow before 18 puts a copy of its metadata behind each column, and most files of the hub are of that time.
  test.each(["codec-none", "codec-gzip", "codec-brotli", "pages-2", "arrow-17", "arrow-17-large"])(
    "%s",
    async (name) => {
      const set = await openFiles(of(`${name}.parquet`), data);
      expect([...set.labels]).toEqual([0, 1, 0, 1, 0, 1]);
      expect(await colours(set)).toEqual(wanted(6));
    },
  );

  test("LZ4 is refused with a sentence", async () => {
    await expect(openFiles(of("codec-lz4.parquet"), data)).rejects.toMatchObject({
      code: "R127",
      message: expect.stringMatching(/codec-lz4\.parquet cannot be used .*LZ4/),
    });
  });

  test("columns of bytes and of texts, under other names", async () => {
    const set = await openFiles(of("plain-columns.parquet"), {
      ...data,
      imageColumn: "img",
      labelColumn: "kind",
    });
    expect([set.classes, [...set.labels]]).toEqual([
      ["a", "b"],
      [0, 1, 0, 1],
    ]);
    expect(await colours(set)).toEqual(["0,0", "0,1", "0,2", "0,3"]);
  });

  test("a column that is not there: R125 with those that are", async () => {
    const failure = openFiles(of("plain-columns.parquet"), data);
    await expect(failure).rejects.toMatchObject({ code: "R125" });
    await expect(failure).rejects.toThrow(/has no column "image" .*it has "img", "kind"/);
    // A column of labels is no column of images.
    await expect(openFiles(of("plain-columns.parquet"), { ...data, imageColumn: "kind" })).resolves.toBeDefined();
  });

  test("rows without an image are bad images, and files without labels have no classes", async () => {
    const set = await openFiles(of("holes.parquet"), data);
    expect([set.images, set.classes]).toEqual([4, []]);
    const reader = openReader(set.reader, 0);
    expect((await reader.bytes(0)).length).toBeGreaterThan(50);
    for (const i of [1, 2]) await expect(reader.bytes(i)).rejects.toThrow(/empty file/);
    expect(await reader.bytes(3)).toHaveLength(0);
  });
});

test("held-out images and the rest are all, and both are counted without reading an image", async () => {
  const part = (heldOut: boolean) => of("train-*.parquet", { part: { holdOut: 0.3, heldOut } });
  const [held, rest] = [await openFiles(part(true), data), await openFiles(part(false), data)];
  const names = [held, rest].flatMap((set) => Array.from({ length: set.images }, (_, i) => set.nameOf(i)));
  expect(new Set(names).size).toBe(20);
  expect(held.images).toBeGreaterThan(1);
  expect(held.classes).toEqual(rest.classes);
  expect(countRows(part(true), columns)).toEqual({ images: held.images, hasLabels: true });
  expect(countRows(of("train-*.parquet"), columns).images).toBe(20);
  const all = wanted(20);
  const at = (name: string): number => {
    const [file = "", row = "0"] = name.split("#");
    return Number(row) + (file.startsWith("train-00001") ? 11 : 0);
  };
  expect(await colours(rest)).toEqual(Array.from({ length: rest.images }, (_, i) => all[at(rest.nameOf(i))]));
});

test("little memory holds one row group at a time, and gives the same", async () => {
  const set = await openFiles({ ...of("train-*.parquet"), threads: 2 ** 40 }, data);
  expect(await colours(set)).toEqual(wanted(20));
});

test("files with and without labels together have no classes", async () => {
  const root = await temporaryFolder();
  await copyFile(join(made, "holes.parquet"), join(root, "a.parquet"));
  await copyFile(join(made, "codec-none.parquet"), join(root, "b.parquet"));
  expect((await openFiles({ root, given: ".", what: "train" }, data)).classes).toEqual([]);
});
