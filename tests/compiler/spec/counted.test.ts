import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { specFromText } from "../../../compiler/spec/load";
import { isHeldOut } from "../../../runtime/data/hold-out";
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
