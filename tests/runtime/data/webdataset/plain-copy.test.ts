/** Shards that are compressed by gzip: what is read of them is what the plain ones hold, and what is no such file is a sentence. */
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test, vi } from "vitest";
import { indexCacheIn } from "../../../../runtime/data/index-cache";
import { finished } from "../../../../runtime/data/looking";
import { openReader } from "../../../../runtime/data/reader";
import { lookThroughShards, openShards } from "../../../../runtime/data/webdataset/shards";
import { givenImages } from "../../../../tools/given-images";
import { gzipShards, tarOf, temporaryFolder, writeShards } from "../fixture";

const labelled = { shuffleBuffer: 3, labels: true };
const optionsOf = (root: string, given = ".") => ({ root, given, what: "train" as const });

/** A folder for images, and one for copies, which the variable names. */
async function folders(): Promise<{ readonly root: string; readonly copies: string }> {
  const [root, copies] = [await temporaryFolder(), await temporaryFolder()];
  vi.stubEnv("IJEPA_SHARD_CACHE", copies);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return { root, copies };
}

async function contentOf(root: string, part?: { readonly holdOut: number; readonly heldOut: boolean }) {
  const set = await openShards({ ...optionsOf(root), ...(part !== undefined && { part }) }, labelled);
  const reader = openReader(set.reader, 0);
  const images = Array.from({ length: set.images }, async (_, i) => (await reader.bytes(i)).toString());
  const names = Array.from({ length: set.images }, (_, i) => set.nameOf(i));
  return { names, images: await Promise.all(images), labels: [...set.labels], shuffle: set.shuffle };
}

test.each([".tar.gz", ".tgz"])("%s: the same images, labels, order and parts as of plain ones", async (ending) => {
  const { root, copies } = await folders();
  const plainRoot = await temporaryFolder();
  await writeShards(plainRoot);
  await writeShards(root);
  await gzipShards(root, ending);
  for (const part of [undefined, { holdOut: 0.4, heldOut: true }, { holdOut: 0.4, heldOut: false }]) {
    const plain = await contentOf(plainRoot, part);
    const packed = await contentOf(root, part);
    expect(plain.images.length).toBeGreaterThan(2);
    expect({ ...packed, names: packed.names.map((name) => name.replace(ending, ".tar")) }).toEqual(plain);
  }
  // Once for each shard, whoever asks.
  expect(readdirSync(copies)).toHaveLength(4);
});

const tar = tarOf([["1.jpg", "a".repeat(600)]]);
const packedTar = gzipSync(tar);

async function lookedAt(bytes: Uint8Array, name = "a.tar.gz") {
  const { root, copies } = await folders();
  await writeFile(join(root, name), bytes);
  const look = () =>
    finished(lookThroughShards({ ...optionsOf(root), cache: indexCacheIn(join(root, "index")) }, 1)).indexes.flatMap(
      ({ sizes }) => [...sizes],
    );
  return { root, copies, path: join(root, name), look };
}

test.each([
  [
    "several streams in one file",
    Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
    undefined,
  ],
  ["zeros behind it", Buffer.concat([packedTar, Buffer.alloc(512)]), undefined],
  ["gzip under a plain name", packedTar, "a.tar"],
  ["plain under gzip's name", tar, "a.tgz"],
  ["what is stored and not compressed", gzipSync(tar, { level: 0 }), undefined],
] as const)("%s: read", async (_, bytes, name) => {
  expect((await lookedAt(bytes, name)).look()).toEqual([600]);
});

const changed = (bytes: Buffer, at: number): Buffer => Buffer.from(bytes).fill((bytes.at(at) ?? 0) ^ 0xff, at, at + 1);
test.each([
  [
    "cut short",
    packedTar.subarray(0, -20),
    "R122",
    /a\.tar\.gz is not a whole tar file: at byte \d+ .*ends in the middle of what was compressed/,
  ],
  ["cut in its checksum", packedTar.subarray(0, -3), "R122", /ends in the middle/],
  ["its header alone", packedTar.subarray(0, 10), "R122", /ends in the middle/],
  ["another checksum", changed(packedTar, packedTar.length - 8), "R122", /incorrect data check/],
  ["damaged in the middle", changed(packedTar, 40), "R122", /gzip says/],
  [
    "text that is compressed",
    gzipSync("no tar file. ".repeat(60)),
    "R122",
    /a\.tar\.gz, unpacked, .*at byte 0 there is no header/,
  ],
  ["a tar that is cut short", gzipSync(tar.subarray(0, 900)), "R122", /unpacked, .*of which 388 are left/],
  ["a bomb", gzipSync(Buffer.alloc(2 ** 27)), "R122", /unpacks to over 200 times its size/],
  [
    "Zstandard",
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0]),
    "R123",
    /by Zstandard, and of compressed shards those of gzip alone/,
  ],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), "R123", /by xz/],
  ["bzip2", Buffer.from("BZh91AY"), "R123", /by bzip2/],
] as const)("%s: refused, and nothing is left", async (_, bytes, code, says) => {
  const { look, copies } = await lookedAt(bytes);
  expect(look).toThrow(says);
  expect(look).toThrow(expect.objectContaining({ name: "UserError", code }));
  // A whole gzip file that holds no tar file is unpacked all the same.
  expect(readdirSync(copies).filter((name) => !name.endsWith(".tar"))).toEqual([]);
});

test("where copies cannot be written, or are not wanted: a sentence", async () => {
  const { look, copies } = await lookedAt(packedTar);
  await rm(copies, { recursive: true });
  await writeFile(copies, "");
  expect(look).toThrow(expect.objectContaining({ name: "UserError", code: "R142" }));
  expect(look).toThrow(/name another folder with IJEPA_SHARD_CACHE/);
  vi.stubEnv("IJEPA_SHARD_CACHE", "off");
  expect(look).toThrow(expect.objectContaining({ name: "UserError", code: "R123" }));
  expect(look).toThrow(/IJEPA_SHARD_CACHE=off keeps no plain copy/);
});

test("a copy is made once, anew of a shard that has changed or where it is damaged, and goes when long unused", async () => {
  const { look, copies, path } = await lookedAt(packedTar);
  look();
  const [first = ""] = readdirSync(copies);
  const made = statSync(join(copies, first));
  look();
  expect(statSync(join(copies, first)).ino).toBe(made.ino);

  // With the list of images kept, and without.
  writeFileSync(join(copies, first), "no tar");
  await rm(join(path, "../index"), { recursive: true });
  expect(look()).toEqual([600]);
  expect(readFileSync(join(copies, first))).toEqual(tar);

  const long = new Date(Date.now() - 100 * 86_400_000);
  writeFileSync(join(copies, "x.tar.0123.draft"), "");
  for (const name of readdirSync(copies)) utimesSync(join(copies, name), long, long);
  writeFileSync(path, gzipSync(tarOf([["1.jpg", "b".repeat(70)]])));
  expect(look()).toEqual([70]);
  expect(readdirSync(copies)).toHaveLength(1);
});

test("of a shard that lies there both ways, the plain one", async () => {
  const { root, copies } = await folders();
  await writeShards(root);
  const plain = await contentOf(root);
  for (const name of readdirSync(root))
    writeFileSync(join(root, `${name}.gz`), gzipSync(readFileSync(join(root, name))));
  expect(await contentOf(root)).toEqual(plain);
  expect(readdirSync(copies)).toEqual([]);
});

test("what is given on a command line: shards where there are no folders beside them", async () => {
  const { root } = await folders();
  for (const name of ["train-0.tar.gz", "val-0.tar.gz"]) await writeFile(join(root, name), packedTar);
  expect(givenImages(root)).toMatchObject({ kind: "webdataset", train: "train-*.tar.gz", validation: "val-*.tar.gz" });
  expect(givenImages(join(root, "train-0.tar.gz"))).toMatchObject({ kind: "webdataset", train: "" });
  await mkdir(join(root, "cat"));
  expect(givenImages(root)).toMatchObject({ kind: "folder" });
});
