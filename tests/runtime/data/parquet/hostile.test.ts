/** Parquet files that are none, or claim what cannot be: a sentence, and no memory is taken for what they claim. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFiles } from "../../../../runtime/data/parquet/files";
import { readFooter } from "../../../../runtime/data/parquet/footer";
import { checkedPages } from "../../../../runtime/data/parquet/pages";
import { readStruct } from "../../../../runtime/data/parquet/thrift";
import { openReader } from "../../../../runtime/data/reader";
import { temporaryFolder } from "../fixture";

const columns = { imageColumn: "image", labelColumn: "label" };
const data = { ...columns, labels: true, shuffleBuffer: 8 };
const made = (name: string): Promise<Buffer> => readFile(new URL(`./made/${name}`, import.meta.url));

/** A file whose footer is these bytes. */
function withFooter(footer: readonly number[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from("PAR1"), Buffer.alloc(64), Buffer.from(footer), length, Buffer.from("PAR1")]);
}

/** Field 2 is a list of 2³¹ − 1 structs, of which none is there. */
const endlessList = [0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
const deep = Array.from({ length: 100_000 }, () => 0x1c);

const cases: readonly (readonly [name: string, bytes: Buffer, says: RegExp])[] = [
  ["nothing", Buffer.alloc(0), /it is too short/],
  ["text", Buffer.from("no parquet file at all"), /does not end like one/],
  ["an encrypted file", Buffer.from("PAR1 and something PARE"), /it is encrypted/],
  ["a footer longer than the file", Buffer.from(`PAR1\xff\xff\xff\x7fPAR1`, "latin1"), /footer would be longer/],
  ["a list without end", withFooter(endlessList), /a list in it is longer than what is left/],
  ["structures without end", withFooter(deep), /nested too deeply/],
  ["a footer of zeros", withFooter([0, 0, 0, 0]), /its footer is damaged/],
];
test.each(cases)("%s: R127", async (_, bytes, says) => {
  const path = join(await temporaryFolder(), "a.parquet");
  await writeFile(path, bytes);
  expect(() => readFooter(path, columns)).toThrow(says);
  expect(() => readFooter(path, columns)).toThrow(expect.objectContaining({ name: "UserError", code: "R127" }));
});

test("a file cut short at any byte is a sentence", async () => {
  const whole = await made("codec-none.parquet");
  const root = await temporaryFolder();
  for (let length = 0; length < whole.length; length += 37) {
    await writeFile(join(root, "a.parquet"), whole.subarray(0, length));
    const failure = openFiles({ root, given: "a.parquet", what: "train" }, data);
    await expect(failure, `${length} bytes`).rejects.toMatchObject({ name: "UserError", code: "R127" });
  }
});

test("a file whose images are damaged is read, and those are bad images; labels that are, are refused", async () => {
  const whole = await made("train-00000-of-00002.parquet");
  const root = await temporaryFolder();
  const { metadata } = readFooter(new URL("./made/train-00000-of-00002.parquet", import.meta.url).pathname, columns);
  const chunk = (path: string): number => {
    const found = metadata.row_groups[1]?.columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === path);
    return Number(found?.meta_data?.dictionary_page_offset || found?.meta_data?.data_page_offset);
  };
  const open = async (path: string) => {
    const bytes = Buffer.from(whole);
    bytes.fill(0xee, chunk(path), chunk(path) + 20);
    await writeFile(join(root, "a.parquet"), bytes);
    return openFiles({ root, given: "a.parquet", what: "train" }, data);
  };
  const set = await open("image.bytes");
  const reader = openReader(set.reader, 0);
  expect((await reader.bytes(3)).length).toBeGreaterThan(50);
  for (const i of [4, 7]) await expect(reader.bytes(i)).rejects.toThrow();
  await expect(open("label")).rejects.toMatchObject({ name: "UserError", code: "R127" });
});

describe("pages that claim more than there is", () => {
  const column = { rows: 8, optional: 1, isCompressed: false };
  /** Field numbers and 32-bit values of one struct, in order. */
  const ints = (fields: readonly (readonly [number, number])[]): number[] => {
    const bytes: number[] = [];
    let last = 0;
    for (const [field, value] of fields) {
      bytes.push(((field - last) << 4) | 5);
      last = field;
      for (let rest = 2 * value; ; rest = Math.floor(rest / 128)) {
        bytes.push(rest < 128 ? rest : (rest % 128) | 128);
        if (rest < 128) break;
      }
    }
    return bytes;
  };
  const dataPage = (values: number, body: readonly number[], sizes = body.length): Uint8Array =>
    Uint8Array.from([
      ...ints([
        [1, 0],
        [2, sizes],
        [3, sizes],
      ]),
      0x2c,
      ...ints([
        [1, values],
        [2, 0],
        [3, 3],
        [4, 3],
      ]),
      0,
      0,
      ...body,
    ]);
  const levels = (...runs: readonly number[]): number[] => [runs.length, 0, 0, 0, ...runs];

  const pages: readonly (readonly [name: string, page: Uint8Array, says: RegExp | null])[] = [
    ["eight values in one run", dataPage(8, levels(16, 1)), null],
    ["eight values packed", dataPage(8, levels(3, 255)), null],
    ["nine values", dataPage(9, levels(18, 1)), /more values than there are rows/],
    ["a run of two thousand million", dataPage(8, levels(0xfe, 0xff, 0xff, 0xff, 0x0f, 1)), /a run in it is longer/],
    ["levels that end early", dataPage(8, [200, 0, 0, 0, 16, 1]), /a page of it ends early/],
    ["a page longer than its column", dataPage(8, levels(16, 1), 4000), /longer than its column/],
    ["a list without end", Uint8Array.from(endlessList), /a list in it is longer/],
  ];
  test.each(pages)("%s", (_, page, says) => {
    const check = () => checkedPages().check(page, column);
    if (says === null) expect(check).not.toThrow();
    else expect(check).toThrow(says);
  });

  test("two thousand million values of nothing", () => {
    expect(() => readStruct(Uint8Array.from([0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07]), 0)).toThrow("longer than");
  });
});
