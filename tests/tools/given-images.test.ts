/** What commands take for images: the same for all of them. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { UserError } from "../../runtime/errors";
import { dataOf, givenImages } from "../../tools/given-images";
import { specText } from "../../tools/init/choose";
import { imagesAt } from "../../tools/init/images";
import { writeShards, writeTwoClasses } from "../runtime/data/fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-given-"));
afterAll(() => rmSync(folder, { recursive: true }));
const made = new URL("../runtime/data/parquet/made/", import.meta.url).pathname;

/** A folder with these empty files in it. */
function withFiles(name: string, files: readonly string[]): string {
  for (const file of files) {
    mkdirSync(join(folder, name, file, ".."), { recursive: true });
    writeFileSync(join(folder, name, file), "");
  }
  return join(folder, name);
}

test.each<readonly [what: string, files: readonly string[], below: string, want: object | null]>([
  ["classes", ["cat/1.png", "dog/1.png"], "", { kind: "folder", train: "", validation: null }],
  ["train and val", ["train/a/1.png", "val/a/2.png"], "", { kind: "folder", train: "train", validation: "val" }],
  ["train alone", ["train/a/1.png"], "", { kind: "folder", train: "train", validation: null }],
  [
    "the hub",
    ["data/train-0.parquet", "data/validation-0.parquet", "README.md"],
    "",
    { kind: "parquet", train: "data/train-*.parquet", validation: "data/validation-*.parquet", all: "data/*.parquet" },
  ],
  [
    "the hub's test",
    ["data/train-0.parquet", "data/test-0.parquet"],
    "",
    { kind: "parquet", validation: "data/test-*.parquet" },
  ],
  ["files of no split", ["0.parquet", "1.parquet"], "", { kind: "parquet", train: "*.parquet", validation: null }],
  [
    "shards",
    ["train0.tar", "train1.tar", "val0.tar"],
    "",
    { kind: "webdataset", train: "train*.tar", validation: "val*.tar" },
  ],
  ["one file", ["x.parquet"], "/x.parquet", { kind: "parquet", train: "", validation: null }],
  ["a pattern", ["x.tar"], "/{a..z}.tar", { kind: "webdataset", train: "", validation: null }],
  ["another file", ["x.zip"], "/x.zip", null],
  ["no file", ["x.tar"], "/y.tar", null],
])("%s", (what, files, below, want) => {
  const found = givenImages(withFiles(what, files) + below);
  if (want === null) expect(found).toBeNull();
  else expect(found).toMatchObject(want);
});

test("of a data set what an experiment reads", () => {
  const found = { kind: "parquet", train: "data/train-*.parquet", validation: null } as const;
  expect(dataOf("./set/", found, { holdOut: 0.2, labels: true })).toMatchObject({
    kind: "parquet",
    trainPath: "./set/data/train-*.parquet",
    validationPath: null,
    holdOut: 0.2,
    imageColumn: "image",
  });
});

test("a first experiment on each", async () => {
  const [classes, shards, hub] = ["classes", "tars", "parquet"].map((name) => join(folder, "first", name));
  await writeTwoClasses(classes ?? "");
  await writeShards(shards ?? "");
  cpSync(made, join(hub ?? "", "data"), { recursive: true, filter: (path) => !/codec|pages|plain|holes/.test(path) });
  const looks = await Promise.all([classes, shards, hub].map((path) => imagesAt(path ?? "", "./x")));
  expect(looks).toEqual([
    { kind: "folder", train: "./x", validation: null, count: 20, classes: ["cat", "dog"], side: 16 },
    { kind: "webdataset", train: "./x/train-*.tar", validation: null, count: 20, classes: ["0", "1"], side: 16 },
    {
      kind: "parquet",
      train: "./x/data/train-*.parquet",
      validation: "./x/data/validation-*.parquet",
      count: 20,
      classes: ["cat", "dog"],
      side: 16,
    },
  ]);
  const text = specText({ name: "a", images: looks[2] ?? null, labels: true, schema: "s" }, { epochs: 1, why: "" });
  expect(text).toContain('"source": "parquet", "train": "./x/data/train-*.parquet", "validation": "./x/data/val');
});

test("nothing there is null, and what cannot be read is said", async () => {
  expect(await imagesAt(join(folder, "nowhere"), "x")).toBeNull();
  expect(await imagesAt(withFiles("no-image", ["a.txt"]), "x")).toBeNull();
  await expect(imagesAt(withFiles("broken", ["a.tar"]), "x")).resolves.toBeNull();
  writeFileSync(join(withFiles("broken-2", ["a.tar"]), "a.tar"), "text".repeat(200));
  await expect(imagesAt(join(folder, "broken-2"), "x")).rejects.toBeInstanceOf(UserError);
});
