import { closeSync, mkdirSync, openSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type FolderIndex, lookThroughFolder } from "../../../runtime/data/folder-index";
import { indexCacheIn } from "../../../runtime/data/index-cache";
import { finished, finishing, lookingLines } from "../../../runtime/data/looking";
import { temporaryFolder } from "./fixture";

const folders = 50;
const filesEach = 1000;
const long = new Date("2026-01-02");

/** 50,000 empty files in 50 folders, all of which were last changed long ago. */
async function manyFiles(): Promise<string> {
  const root = await temporaryFolder();
  for (let folder = 0; folder < folders; folder++) {
    const path = join(root, `n${String(folder).padStart(5, "0")}`);
    mkdirSync(path);
    for (let file = 0; file < filesEach; file++) closeSync(openSync(join(path, `${file}.jpg`), "w"));
    utimesSync(path, long, long);
  }
  utimesSync(root, long, long);
  return root;
}

const names = ({ files }: FolderIndex): string[] => Array.from({ length: files.length }, (_, i) => files.at(i));

test("50,000 files are looked through once, in little memory, and a change is seen", async () => {
  const root = await manyFiles();
  const folder = await temporaryFolder();
  const cache = indexCacheIn(folder);
  const parts: number[] = [];
  const before = process.memoryUsage().rss;
  const first = await finishing(lookThroughFolder(root, cache), ({ images }) => parts.push(images));
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  expect(first.files.length).toBe(folders * filesEach);
  expect([first.files.at(0), first.files.at(49_999)]).toEqual(["n00000/0.jpg", "n00049/999.jpg"]);
  // It goes from folder to folder, and others have their turn between.
  expect(parts).toEqual([0, ...Array.from({ length: folders }, (_, i) => i * filesEach)]);
  // The names alone, and where each begins.
  expect(first.files.memory.text.byteLength + first.files.memory.starts.byteLength).toBeLessThan(30 * 50_000);

  // What is kept holds: a file that comes without a trace in its folder's time is not seen.
  const late = join(root, "n00007/late.jpg");
  writeFileSync(late, "");
  utimesSync(join(root, "n00007"), long, long);
  const again = finished(lookThroughFolder(root, cache));
  expect(names(again)).toEqual(names(first));
  utimesSync(join(root, "n00007"), long, new Date("2026-01-03"));
  expect(finished(lookThroughFolder(root, cache)).files.length).toBe(50_001);

  // A damaged one is made anew.
  const [kept = ""] = readdirSync(folder);
  writeFileSync(join(folder, kept), "no index");
  expect(finished(lookThroughFolder(root, cache)).files.length).toBe(50_001);
  rmSync(join(root, "n00049"), { recursive: true });
  expect(finished(lookThroughFolder(root, cache)).files.length).toBe(49_001);
});

test("a folder that was changed as it was looked through is not kept, nor are few images", async () => {
  const root = await temporaryFolder();
  const folder = await temporaryFolder();
  writeFileSync(join(root, "a.png"), "");
  finished(lookThroughFolder(root, indexCacheIn(folder), 1));
  expect(readdirSync(folder)).toEqual([]);
  utimesSync(root, long, long);
  finished(lookThroughFolder(root, indexCacheIn(folder)));
  expect(readdirSync(folder)).toEqual([]);
  finished(lookThroughFolder(root, indexCacheIn(folder), 1));
  expect(readdirSync(folder)).toHaveLength(1);
});

test("a cache that cannot be written is none", async () => {
  const root = await temporaryFolder();
  writeFileSync(join(root, "a.png"), "");
  utimesSync(root, long, long);
  const index = finished(lookThroughFolder(root, indexCacheIn(join(root, "a.png", "below")), 1));
  expect(index.files.length).toBe(1);
});

test("images of kinds that are not read are counted by their ending", async () => {
  const root = await temporaryFolder();
  for (const name of ["a.png", "b.SVG", "c.svg", "d.bmp", "e.txt"]) writeFileSync(join(root, name), "");
  const { skipped, otherFiles } = finished(lookThroughFolder(root, indexCacheIn(root)));
  expect([[...skipped], otherFiles]).toEqual([
    [
      [".svg", 2],
      [".bmp", 1],
    ],
    4,
  ]);
});

test.skipIf(process.platform !== "linux")(
  "links in a circle or to nothing are passed over, and names that are no UTF-8 are counted",
  async () => {
    const root = await temporaryFolder();
    writeFileSync(join(root, "a.png"), "");
    writeFileSync(join(root, "real\ufffd.png"), "");
    symlinkSync("self.jpg", join(root, "self.jpg"));
    symlinkSync("nowhere.jpg", join(root, "lost.jpg"));
    symlinkSync("a.png/below.jpg", join(root, "through-a-file.jpg"));
    symlinkSync("/dev/zero", join(root, "endless.jpg"));
    symlinkSync(root, join(root, "itself"));
    mkdirSync(join(root, "z"));
    writeFileSync(join(root, "z/1.png"), "");
    symlinkSync(join(root, "z"), join(root, "z/itself"));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/b`), Buffer.of(0xff, 0xfe), Buffer.from(".png")]), "");
    mkdirSync(Buffer.concat([Buffer.from(`${root}/cl`), Buffer.of(0xe9), Buffer.from("asse")]));
    const index = finished(lookThroughFolder(root, indexCacheIn(join(root, ".cache"))));
    expect(names(index)).toEqual(["a.png", "real\ufffd.png", "z/1.png"]);
    expect([...index.skipped]).toEqual([["whose name is no UTF-8", 2]]);
  },
);

test("a line is said of what takes a while, and not too often", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const looked = lookingLines(
    "images",
    (line) => lines.push(line),
    () => nowMs,
  );
  for (nowMs = 0; nowMs <= 8000; nowMs += 1000) looked({ images: nowMs, done: 3, of: null });
  expect(lines).toEqual([
    "looking through images: 2000 images in 3 folders up to now",
    "looking through images: 7000 images in 3 folders up to now",
  ]);
});
