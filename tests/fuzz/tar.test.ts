/** Tar shards, plain and compressed, with bytes changed, cut off, doubled and put elsewhere: an index that can be read, or a sentence. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect } from "vitest";
import { sharedFileList } from "../../runtime/data/file-list";
import { indexCacheIn } from "../../runtime/data/index-cache";
import { finished } from "../../runtime/data/looking";
import { openPlainCopies } from "../../runtime/data/webdataset/plain-copy";
import { indexShard, type ShardIndex } from "../../runtime/data/webdataset/shard-index";
import { lookThroughShards } from "../../runtime/data/webdataset/shards";
import { UserError } from "../../runtime/errors";
import type { Random } from "../../runtime/random/random";
import { fuzz, mutated } from "./fuzz";

const folder = mkdtempSync(join(tmpdir(), "ijepa-fuzz-tar-"));
const path = join(folder, "a.tar");
afterAll(() => rmSync(folder, { recursive: true }));

// Without the zeros at the end, where changes change nothing.
const shards = ["ustar", "gnu", "pax"].map((form) =>
  readFileSync(new URL(`../runtime/data/webdataset/made/${form}.tar`, import.meta.url)).subarray(0, 8192),
);

/** Half of them with checksums that fit what the headers say now: behind one that does not nothing is looked at. */
function make(random: Random): Uint8Array {
  const bytes = mutated(shards[random.integer(shards.length)] ?? new Uint8Array(), random);
  if (random.uniform() < 0.5) return bytes;
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (Buffer.from(bytes.subarray(at + 257, at + 262)).toString("latin1") !== "ustar") continue;
    const block = bytes.subarray(at, at + 512);
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return bytes;
}

const copies = join(folder, "copies");
const compressed = join(folder, "b.tar.gz");
const cache = indexCacheIn(join(folder, "index"));
let count = 0;

/** Its bytes changed before they are compressed, or after. */
function makeCompressed(random: Random): Uint8Array {
  const level = random.integer(10);
  if (random.uniform() < 0.3) return gzipSync(make(random), { level });
  return mutated(gzipSync(shards[random.integer(shards.length)] ?? new Uint8Array(), { level }), random);
}

/** Its copy lies where nothing else does, so that no other one of the same size and time is taken for it. */
function indexCompressed(bytes: Uint8Array): { readonly index: ShardIndex; readonly size: number } {
  writeFileSync(compressed, bytes);
  const own = join(copies, String(count++));
  try {
    const plain = openPlainCopies(() => undefined, { IJEPA_SHARD_CACHE: own });
    const looked = finished(lookThroughShards({ root: folder, given: "b.tar.gz", what: "train", cache, plain }));
    const [copy] = looked.copies;
    const [index] = looked.indexes;
    if (index === undefined) throw new Error("there is no index");
    return { index, size: typeof copy === "string" ? statSync(copy).size : bytes.length };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function read(bytes: Uint8Array): string {
  return outcomeOf(() => {
    writeFileSync(path, bytes);
    return { index: indexShard(path), size: bytes.length };
  });
}

function outcomeOf(indexed: () => { readonly index: ShardIndex; readonly size: number }): string {
  try {
    const { index, size } = indexed();
    const { names, offsets, sizes, labels, labelTexts } = index;
    const list = sharedFileList(names);
    expect([offsets.length, sizes.length, labels.length]).toEqual([list.length, list.length, list.length]);
    for (let i = 0; i < list.length; i++) {
      expect((offsets[i] ?? 0) + (sizes[i] ?? 0)).toBeLessThanOrEqual(size);
      expect(list.at(i)).not.toMatch(/\p{Cc}/u);
      expect(labels[i]).toBeLessThan(labelTexts.length);
    }
    return `${list.length} images`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/undefined|NaN|internal|\[object/);
    return error.code;
  }
}

const show = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
fuzz("tar shards", { cases: 150, make, read, show });
fuzz("tar shards, compressed", {
  cases: 150,
  make: makeCompressed,
  read: (bytes) => outcomeOf(() => indexCompressed(bytes)),
  show,
});
