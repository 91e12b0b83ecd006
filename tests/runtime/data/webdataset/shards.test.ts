import { mkdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFileList, sharedFileList } from "../../../../runtime/data/file-list";
import { indexCacheIn } from "../../../../runtime/data/index-cache";
import { finished } from "../../../../runtime/data/looking";
import { openReader } from "../../../../runtime/data/reader";
import { indexShard } from "../../../../runtime/data/webdataset/shard-index";
import { countShards, lookThroughShards, openShards } from "../../../../runtime/data/webdataset/shards";
import { tarOf, temporaryFolder, writeShards } from "../fixture";

type Members = Parameters<typeof tarOf>[0];

async function indexOf(members: Members) {
  const path = join(await temporaryFolder(), "a.tar");
  await writeFile(path, tarOf(members));
  const { names, offsets, sizes, labels, labelTexts } = indexShard(path);
  const list = sharedFileList(names);
  return Array.from(offsets, (_, i) => `${list.at(i)} ${sizes[i]} ${labelTexts[labels[i] ?? -1] ?? "none"}`);
}

describe("samples of a shard", () => {
  const cases: readonly { readonly name: string; readonly members: Members; readonly want: readonly string[] }[] = [
    {
      name: "an image and its class",
      members: [
        ["1.jpg", "abc"],
        ["1.cls", " 7\n"],
      ],
      want: ["1.jpg 3 7"],
    },
    {
      name: "the class first",
      members: [
        ["1.cls", "cat"],
        ["1.jpg", "abc"],
      ],
      want: ["1.jpg 3 cat"],
    },
    {
      name: "no class",
      members: [
        ["1.jpg", "abc"],
        ["1.txt", "a cat"],
      ],
      want: ["1.jpg 3 none"],
    },
    {
      name: "a label in JSON",
      members: [
        ["1.json", '{"label": 5}'],
        ["1.webp", ""],
      ],
      want: ["1.webp 0 5"],
    },
    {
      name: "a class in JSON",
      members: [
        ["1.json", '{"class": "dog"}'],
        ["1.png", "x"],
      ],
      want: ["1.png 1 dog"],
    },
    {
      name: "the class before JSON",
      members: [
        ["1.json", '{"cls": 5}'],
        ["1.cls", "6"],
        ["1.png", "x"],
      ],
      want: ["1.png 1 6"],
    },
    {
      name: "JSON that is none",
      members: [
        ["1.json", "{"],
        ["1.png", "x"],
      ],
      want: ["1.png 1 none"],
    },
    {
      name: "a label that is no class",
      members: [
        ["1.json", '{"label": [1]}'],
        ["1.png", "x"],
      ],
      want: ["1.png 1 none"],
    },
    {
      name: "an empty class",
      members: [
        ["1.cls", " "],
        ["1.png", "x"],
      ],
      want: ["1.png 1 none"],
    },
    {
      name: "the first image of a sample",
      members: [
        ["1.left.jpg", "a"],
        ["1.right.jpg", "b"],
      ],
      want: ["1.left.jpg 1 none"],
    },
    {
      name: "samples in folders",
      members: [
        ["a/1.jpg", "a"],
        ["b/1.jpg", "b"],
      ],
      want: ["a/1.jpg 1 none", "b/1.jpg 1 none"],
    },
    {
      name: "hidden files",
      members: [
        ["._1.jpg", "a"],
        ["1.jpg", "b"],
        ["x/._1.jpg", "c"],
      ],
      want: ["1.jpg 1 none"],
    },
    {
      name: "files without an ending",
      members: [
        ["README", "a"],
        ["1.jpg", "b"],
      ],
      want: ["1.jpg 1 none"],
    },
    {
      name: "a sample without an image",
      members: [
        ["1.cls", "1"],
        ["2.jpg", "b"],
      ],
      want: ["2.jpg 1 none"],
    },
    {
      name: "paths out of the folder are names",
      members: [
        ["../../etc/x.jpg", "a"],
        ["/root.png", "b"],
      ],
      want: ["../../etc/x.jpg 1 none", "/root.png 1 none"],
    },
    { name: "control characters", members: [["a\nb\u001b[2J.jpg", "a"]], want: ["a\ufffdb\ufffd[2J.jpg 1 none"] },
    { name: "nothing", members: [], want: [] },
  ];
  test.each(cases)("$name", async ({ members, want }) => expect(await indexOf(members)).toEqual(want));
});

test.each(["ustar", "gnu", "pax"])("the headers of Python's tarfile: %s", (form) => {
  const path = new URL(`./made/${form}.tar`, import.meta.url).pathname;
  const { names, sizes, labels, labelTexts } = indexShard(path);
  const list = sharedFileList(names);
  expect([list.at(0), labelTexts[labels[0] ?? -1]]).toEqual(["0001.png", "4"]);
  expect(list.at(1)).toBe(`${"a/".repeat(10)}${form === "ustar" ? "x" : "é".repeat(120)}.png`);
  expect(labelTexts[labels[1] ?? -1]).toBe("12");
  expect([...sizes].every((size) => size > 60)).toBe(true);
});

const options = (root: string) => ({ root, given: "train-{000000..000003}.tar", what: "train" as const });

test("classes are numbers in their order, held-out images and the rest are all", async () => {
  const root = await temporaryFolder();
  await writeShards(root);
  const data = { shuffleBuffer: 3, labels: true };
  const all = await openShards(options(root), data);
  expect([all.images, all.classes, [...all.labels].join("")]).toEqual([20, ["0", "1"], "01010101010101010101"]);
  expect(all.shuffle).toEqual({ starts: [0, 5, 10, 15, 20], buffer: 3 });
  expect(all.nameOf(7)).toBe("train-000001.tar/000007.png");
  expect(all.fileOf(7)).toBe(join(root, "train-000001.tar"));
  const part = (heldOut: boolean) => ({ ...options(root), part: { holdOut: 0.4, heldOut } });
  const [held, rest] = [await openShards(part(true), data), await openShards(part(false), data)];
  const names = [held, rest].flatMap((set) => Array.from({ length: set.images }, (_, i) => set.nameOf(i)));
  expect(names.sort()).toEqual(Array.from({ length: 20 }, (_, i) => all.nameOf(i)));
  expect(held.images).toBeGreaterThan(2);
  expect(held.shuffle?.starts.at(-1)).toBe(held.images);
  expect([...held.labels]).toEqual(
    Array.from({ length: held.images }, (_, i) => Number(held.nameOf(i).slice(-5, -4)) % 2),
  );
  expect(countShards(part(false)).images).toBe(rest.images);
  // What is read is what lies there, of a part too.
  const reader = openReader(rest.reader, 0);
  const whole = openReader(all.reader, 0);
  const at = Array.from({ length: 20 }, (_, i) => all.nameOf(i)).indexOf(rest.nameOf(3));
  expect(reader.name(3)).toBe(rest.nameOf(3));
  expect(await reader.bytes(3)).toEqual(await whole.bytes(at));
});

test("an index is kept, and made anew of a shard that has changed alone", async () => {
  const root = await temporaryFolder();
  await writeShards(root);
  const cache = indexCacheIn(join(root, "cache"));
  const look = () => finished(lookThroughShards({ ...options(root), cache }, 1)).indexes;
  // Bytes that no index knows: as long as they seem unchanged, the kept one holds.
  const path = join(root, "train-000002.tar");
  const then = new Date("2026-01-02");
  await utimes(path, then, then);
  const { size } = await stat(path);
  const first = look();
  expect(look()).toEqual(first);
  const other = tarOf([["9.png", "x".repeat(100)]]);
  await writeFile(path, Buffer.concat([other, Buffer.alloc(size - other.length)]));
  await utimes(path, then, then);
  expect(look()).toEqual(first);
  await utimes(path, then, new Date("2026-01-03"));
  const changed = look();
  expect(changed.map(({ offsets }) => offsets.length)).toEqual([5, 5, 1, 5]);
  expect(changed[3]).toEqual(first[3]);
});

test("some images with a label and some without: R126, unless labels are not asked for", async () => {
  const root = await temporaryFolder();
  await writeFile(
    join(root, "a.tar"),
    tarOf([
      ["1.jpg", "a"],
      ["1.cls", "3"],
      ["2.jpg", "b"],
    ]),
  );
  const of = { root, given: "a.tar", what: "train" as const };
  await expect(openShards(of, { shuffleBuffer: 1, labels: true })).rejects.toMatchObject({
    code: "R126",
    message: expect.stringContaining("a.tar/2.jpg has none"),
  });
  expect((await openShards(of, { shuffleBuffer: 1, labels: false })).classes).toEqual([]);
});

test("a folder of shards without an image: R124", async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, "shards"));
  await writeFile(join(root, "shards/a.tar"), tarOf([["1.txt", "a"]]));
  const of = { root, given: "shards", what: "train" as const };
  await expect(openShards(of, { shuffleBuffer: 1, labels: true })).rejects.toMatchObject({ code: "R124" });
});

test("names are in shared memory", async () => {
  const root = await temporaryFolder();
  await writeShards(root);
  const { reader } = await openShards(options(root), { shuffleBuffer: 1, labels: false });
  if (reader.kind !== "webdataset") throw new Error("another reader");
  expect(openFileList(reader.members).at(19)).toBe("000019.png");
});
