import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { specFromText } from "../../../compiler/spec/load";
import { isHeldOut } from "../../../runtime/data/hold-out";
import { writeShards } from "../../runtime/data/fixture";
import { lines } from "./fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-counted-"));
afterAll(() => rmSync(folder, { recursive: true }));

const some = (count: number, of: string) => Array.from({ length: count }, (_, i) => of.replace("*", String(i)));
const classes = [...some(80, "cat/*.png"), ...some(80, "dog/deep/*.JPG")];
const held = classes.filter((name) => isHeldOut(name, 0.1)).length;
const heldFifth = classes.filter((name) => isHeldOut(name, 0.2)).length;

test.each<[what: string, files: readonly string[], data: object, want: object]>([
  ["a flat folder", some(30, "*.webp"), {}, { images: 30, holdOut: 0 }],
  ["other and hidden files are none", ["a.png", "b.txt", ".c.png", "._d.jpg", "e.bmp"], {}, { images: 1, holdOut: 0 }],
  ["of classes a tenth is held out", classes, {}, { images: 160 - held, holdOut: 0.1 }],
  ["as much as is said", classes, { holdOut: 0.2 }, { images: 160 - heldFifth, holdOut: 0.2 }],
  ["nothing beside validation images", classes, { validation: "v" }, { images: 160, holdOut: 0 }],
  ["nothing without labels", classes, { labels: false }, { images: 160, holdOut: 0 }],
  ["nothing of a few", ["cat/a.png", "dog/b.png"], {}, { images: 2, holdOut: 0 }],
  ["what is said is not counted", classes, { images: 5000 }, { images: 5000, holdOut: 0 }],
])("%s", (what, files, data, want) => {
  const root = join(folder, what.replaceAll(" ", "-"));
  for (const file of files) {
    mkdirSync(join(root, "images", file, ".."), { recursive: true });
    writeFileSync(join(root, "images", file), "");
  }
  const document = {
    image: { size: 64 },
    encoder: { size: "tiny" },
    data: { source: "folder", train: "images", ...data },
  };
  const loaded = specFromText({ text: JSON.stringify(document), file: join(root, "x.json") });
  // Five lines are a whole experiment.
  expect(lines(loaded)).toEqual([]);
  expect(loaded).toMatchObject({ ok: true, spec: { data: want } });
});

test("a folder without an image", () => {
  mkdirSync(join(folder, "none"));
  const text = '{ "data": { "source": "folder", "train": "none" }, "loss": 1 }';
  expect(lines(specFromText({ text, file: join(folder, "x.json") }))).toEqual([
    expect.stringMatching(/x\.json:1:42 E319 data\.train: there is no image to count; found .*none; want a folder of/),
    expect.stringMatching(/E203 loss/),
  ]);
});

const parquet = new URL("../../runtime/data/parquet/made/", import.meta.url).pathname;
const shards = join(folder, "shards");
beforeAll(() => writeShards(shards));

test.each<[what: string, data: object, want: object]>([
  ["shards", { source: "webdataset", train: `${shards}/train-{000000..000003}.tar` }, { images: 20, holdOut: 0 }],
  ["a folder of shards", { source: "webdataset", train: shards }, { images: 20 }],
  ["parquet files", { source: "parquet", train: `${parquet}train-*.parquet` }, { images: 20, holdOut: 0 }],
  ["other columns", { source: "parquet", train: `${parquet}plain-columns.parquet`, imageColumn: "img" }, { images: 4 }],
  [
    "a share of them",
    { source: "parquet", train: `${parquet}train-*.parquet`, holdOut: 0.3 },
    { images: 15, holdOut: 0.3 },
  ],
])("%s are counted", (_, data, want) => {
  const document = { image: { size: 64 }, encoder: { size: "tiny" }, data };
  const loaded = specFromText({ text: JSON.stringify(document), file: join(folder, "x.json") });
  expect(lines(loaded)).toEqual([]);
  expect(loaded).toMatchObject({ ok: true, spec: { data: want } });
});

test.each<[data: object, says: RegExp]>([
  [
    { source: "webdataset", train: "no-*.tar" },
    /E335 data\.train: the images cannot be counted; found There is no file/,
  ],
  [{ source: "parquet", train: `${parquet}plain-columns.parquet` }, /E335 .*has no column "image"/],
  [{ source: "webdataset", train: `${parquet}holes.parquet` }, /E335 .*is not a whole tar file: at byte 0/],
])("%j: E335", (data, says) => {
  const text = JSON.stringify({ image: { size: 64 }, encoder: { size: "tiny" }, data });
  expect(lines(specFromText({ text, file: join(folder, "x.json") }))).toEqual([expect.stringMatching(says)]);
});
