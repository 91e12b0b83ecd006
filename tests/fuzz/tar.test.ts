/** Tar shards with bytes changed, cut off, doubled and put elsewhere: an index that can be read, or a sentence. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { sharedFileList } from "../../runtime/data/file-list";
import { indexShard } from "../../runtime/data/webdataset/shard-index";
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

function read(bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  try {
    const { names, offsets, sizes, labels, labelTexts } = indexShard(path);
    const list = sharedFileList(names);
    expect([offsets.length, sizes.length, labels.length]).toEqual([list.length, list.length, list.length]);
    for (let i = 0; i < list.length; i++) {
      expect((offsets[i] ?? 0) + (sizes[i] ?? 0)).toBeLessThanOrEqual(bytes.length);
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

fuzz("tar shards", { cases: 150, make, read, show: (bytes) => Buffer.from(bytes).toString("base64") });
