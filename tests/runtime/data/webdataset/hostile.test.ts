/** Tar files that are none, or say what cannot be: a sentence with the place, and no memory is taken for what they claim. */

import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Header } from "tar/header";
import { expect, test } from "vitest";
import { indexShard } from "../../../../runtime/data/webdataset/shard-index";
import { tarOf, temporaryFolder } from "../fixture";

/** A block with some of its bytes replaced, and a checksum that fits. */
function header(fields: ConstructorParameters<typeof Header>[0], change: (block: Buffer) => void = () => {}): Buffer {
  const made = new Header(fields);
  made.encode();
  const block = made.block ?? Buffer.alloc(512);
  change(block);
  block.fill(" ", 148, 156);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return block;
}

const padded = (text: string): Buffer =>
  Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (Buffer.byteLength(text) % 512)) % 512)]);
const file = { path: "1.jpg", type: "File" as const };
const whole = tarOf([["1.jpg", "a".repeat(600)]]);
/** A number of base 256, which may be negative. */
const base256 = (block: Buffer, first: number, rest: readonly number[]): void => {
  block.set([first, ...rest], 136 - 1 - rest.length);
};

const cases: readonly (readonly [name: string, bytes: Buffer, code: string, says: RegExp])[] = [
  ["text", Buffer.from("no tar file. ".repeat(60)), "R122", /at byte 0 there is no header/],
  ["an empty member's end", Buffer.alloc(100, 1), "R122", /at byte 0 it ends in the middle of a header/],
  [
    "cut in a file",
    whole.subarray(0, 900),
    "R122",
    /at byte 0 a file of 600 bytes begins there, of which 388 are left/,
  ],
  [
    "cut in a header",
    Buffer.concat([whole.subarray(0, 1536), Buffer.alloc(100, 7)]),
    "R122",
    /at byte 1536 it ends in the middle/,
  ],
  ["a checksum that does not fit", Buffer.from(whole).fill("x", 0, 3), "R122", /at byte 0 .*checksum/],
  [
    "a negative size",
    header({ ...file, size: 1 }, (block) =>
      base256(
        block,
        0xff,
        Array.from({ length: 11 }, () => 0xf0),
      ),
    ),
    "R122",
    /no number of bytes/,
  ],
  [
    "a size of 2^80",
    header({ ...file, size: 1 }, (block) => base256(block, 0x80, [1, ...Array.from({ length: 10 }, () => 0)])),
    "R122",
    /no number of bytes|begins there/,
  ],
  [
    "a size that is no number",
    header({ ...file, size: 1 }, (block) => block.write("zzzzzzzzzzz\0", 124)),
    "R122",
    /no number of bytes/,
  ],
  [
    "a long name of a gigabyte",
    header({ path: "././@LongLink", type: "NextFileHasLongPath", size: 2 ** 30 }),
    "R122",
    /of which 0 are left/,
  ],
  [
    "a long name of 5000 bytes",
    Buffer.concat([header({ path: "././@LongLink", type: "NextFileHasLongPath", size: 5000 }), Buffer.alloc(5120, 97)]),
    "R122",
    /takes 5000 bytes; at most 4097/,
  ],
  [
    "a PAX header of 2 MiB",
    Buffer.concat([header({ path: "x", type: "ExtendedHeader", size: 2 ** 21 }), Buffer.alloc(2 ** 21, 97)]),
    "R122",
    /takes 2097152 bytes; at most 1048576/,
  ],
  [
    "a PAX size beyond the file",
    Buffer.concat([
      header({ path: "x", type: "ExtendedHeader", size: 22 }),
      padded("22 size=1234567890123\n"),
      header({ ...file, size: 3 }),
      padded("abc"),
    ]),
    "R122",
    /of which|no number/,
  ],
  [
    "a PAX size that is no whole number",
    Buffer.concat([
      header({ path: "x", type: "ExtendedHeader", size: 12 }),
      padded("12 size=0.5\n"),
      header({ ...file, size: 3 }),
      padded("abc"),
    ]),
    "R122",
    /no number of bytes/,
  ],
  [
    "a sparse file",
    Buffer.concat([header({ path: "1.jpg", type: "SparseFile", size: 3 }), padded("abc")]),
    "R122",
    /sparse/,
  ],
  [
    "a sparse file in PAX",
    Buffer.concat([
      header({ path: "x", type: "ExtendedHeader", size: 22 }),
      padded("22 GNU.sparse.major=1\n"),
      header({ ...file, size: 3 }),
      padded("abc"),
    ]),
    "R122",
    /sparse/,
  ],
];
test.each(cases)("%s", async (_, bytes, code, says) => {
  const path = join(await temporaryFolder(), "a.tar");
  await writeFile(path, bytes);
  const refused = (): unknown => indexShard(path);
  expect(refused).toThrow(says);
  expect(refused).toThrow(expect.objectContaining({ name: "UserError", code }));
});

test("a shard larger than memory is one read for each header", async () => {
  const path = join(await temporaryFolder(), "a.tar");
  const size = 40 * 2 ** 30;
  await writeFile(path, header({ ...file, size }));
  // A hole: nothing of it is on the disk.
  await truncate(path, 512 + size + 1024);
  const before = process.memoryUsage().rss;
  const { sizes, offsets } = indexShard(path);
  expect([...sizes, ...offsets]).toEqual([size, 512]);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});

test.each([
  ["no blocks of zeros at the end", whole.subarray(0, 1536)],
  ["one block of zeros at the end", whole.subarray(0, 2048)],
  [
    "a directory with a size",
    Buffer.concat([
      header({ path: "d/", type: "Directory", size: 0 }, (block) => block.write("00000001000\0", 124)),
      whole,
    ]),
  ],
  ["a link", Buffer.concat([header({ path: "2.jpg", type: "SymbolicLink", linkpath: "1.jpg", size: 0 }), whole])],
  ["bytes after the end", Buffer.concat([whole, Buffer.alloc(1000, 5)])],
])("%s is no matter", async (_, bytes) => {
  const path = join(await temporaryFolder(), "a.tar");
  await writeFile(path, bytes);
  expect([...indexShard(path).sizes]).toEqual([600]);
});
