import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { byCodePoint } from "../../../runtime/data/file-list";
import { type ImageFolder, scanFolder } from "../../../runtime/data/folder";
import { isHeldOut } from "../../../runtime/data/hold-out";
import { temporaryFolder, writeText } from "./fixture";

async function scanOf(files: readonly string[], labels: boolean, more?: (root: string) => Promise<void>) {
  const root = await temporaryFolder();
  for (const file of files) await writeText(join(root, "images", file), "");
  await more?.(root);
  return scanFolder({ root, given: "images", what: "train", labels });
}

const names = ({ files }: ImageFolder): string[] => Array.from({ length: files.length }, (_, i) => files.at(i));

test("flat and nested folders, in the order of code points, without other and hidden files", async () => {
  const folder = await scanOf(
    [
      "b.jpg",
      "a.JPEG",
      "B.png",
      "é.webp",
      "🙂.png",
      "\uff5e.png",
      "sub/deep/c.png",
      "notes.txt",
      "._b.jpg",
      ".git/x.png",
    ],
    false,
  );
  expect(names(folder)).toEqual(["B.png", "a.JPEG", "b.jpg", "sub/deep/c.png", "é.webp", "\uff5e.png", "🙂.png"]);
  expect(folder.classes).toEqual([]);
  expect(folder.classStarts).toEqual([0, 7]);
});

test("folders of the first level are the classes; one without images is none", async () => {
  const folder = await scanOf(["n02/x.png", "n01/b/y.png", "n01/a.png", "empty/readme.md", "list.csv"], true);
  expect(names(folder)).toEqual(["n01/a.png", "n01/b/y.png", "n02/x.png"]);
  expect(folder.classes).toEqual(["n01", "n02"]);
  expect(folder.classStarts).toEqual([0, 2, 3]);
});

test("symbolic links are followed, and one to a parent ends", async () => {
  const folder = await scanOf(["a.png"], false, async (root) => {
    await writeText(join(root, "elsewhere/b.png"), "");
    await symlink(join(root, "elsewhere"), join(root, "images/link"));
    await symlink(join(root, "images"), join(root, "images/loop"));
    await symlink(join(root, "nowhere.png"), join(root, "images/dead.png"));
  });
  expect(names(folder)).toEqual(["a.png", "link/b.png"]);
});

test("images without any folder have no classes, also where labels were asked for", async () => {
  const folder = await scanOf(["b.png", "a.png", "list.csv"], true);
  expect(names(folder)).toEqual(["a.png", "b.png"]);
  expect([folder.classes, folder.classStarts]).toEqual([[], [0, 2]]);
});

test("a share that is held out and the rest are all images, with the same classes", async () => {
  const root = await temporaryFolder();
  const files = Array.from({ length: 60 }, (_, i) => `${i % 2 === 0 ? "cat" : "dog"}/${i}.png`);
  for (const file of files) await writeText(join(root, "images", file), "");
  const part = (heldOut: boolean) =>
    scanFolder({ root, given: "images", what: "train", labels: true, part: { holdOut: 0.25, heldOut } });
  const [held, rest] = [await part(true), await part(false)];
  expect([...names(held), ...names(rest)].sort()).toEqual([...files].sort());
  expect(names(held).length).toBeGreaterThan(5);
  expect(names(held).length).toBeLessThan(25);
  expect([held.classes, rest.classes]).toEqual([
    ["cat", "dog"],
    ["cat", "dog"],
  ]);
  expect(names(held).filter((name) => name.startsWith("cat/"))).toHaveLength(held.classStarts[1] ?? 0);
});

test("which images are held out is the same everywhere, and as many as were asked for", () => {
  expect(["a.png", "cat/1.jpg", "é/🙂.png"].map((name) => isHeldOut(name, 0.5))).toEqual([true, false, true]);
  const held = Array.from({ length: 20_000 }, (_, i) => `n01440764/n01440764_${i}.JPEG`).filter((name) =>
    isHeldOut(name, 0.1),
  );
  expect(held.length / 20_000).toBeCloseTo(0.1, 2);
  expect(isHeldOut("a.png", 0)).toBe(false);
});

const wrong: readonly { name: string; files: readonly string[]; labels: boolean; code: string; says: RegExp }[] = [
  { name: "no such folder", files: [], labels: false, code: "R130", says: /experiment says "images".*--data/ },
  { name: "no image", files: ["a.txt", "b/c.bmp"], labels: false, code: "R132", says: /2 files, but none/ },
  { name: "no image in any class", files: ["cat/a.txt"], labels: true, code: "R132", says: /1 files, but none/ },
  { name: "image outside of classes", files: ["cat/a.png", "b.png"], labels: true, code: "R134", says: /b\.png/ },
];
for (const { name, files, labels, code, says } of wrong) {
  test(`${name}: ${code}`, async () => {
    const failure = scanOf(files, labels);
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toThrow(says);
  });
}

test("a file in place of the folder: R130", async () => {
  const root = await temporaryFolder();
  await writeText(join(root, "images"), "");
  await expect(scanFolder({ root, given: "images", what: "train", labels: false })).rejects.toMatchObject({
    code: "R130",
  });
});

test("order by code point is that of UTF-8", () => {
  const texts = ["", "a", "aa", "Z", "é", "\ud7ff", "\ue000", "\uffff", "🙂", "🙂a", "a🙂"];
  const utf8 = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect([...texts].sort(byCodePoint)).toEqual(utf8);
});
