import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { byCodePoint } from "../../../runtime/data/file-list";
import { type ImageFolder, scanFolder } from "../../../runtime/data/folder";
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

const wrong: readonly { name: string; files: readonly string[]; labels: boolean; code: string; says: RegExp }[] = [
  { name: "no such folder", files: [], labels: false, code: "R130", says: /experiment says "images".*--data/ },
  { name: "no image", files: ["a.txt", "b/c.gif"], labels: false, code: "R132", says: /2 files, but none/ },
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
