/** Parquet files with bytes changed, cut off, doubled and put elsewhere: images, bad images, or a sentence. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFiles } from "../../runtime/data/parquet/files";
import { openReader } from "../../runtime/data/reader";
import { UserError } from "../../runtime/errors";
import type { Random } from "../../runtime/random/random";
import { fuzz, mutated } from "./fuzz";

const folder = mkdtempSync(join(tmpdir(), "ijepa-fuzz-parquet-"));
const path = join(folder, "a.parquet");
afterAll(() => rmSync(folder, { recursive: true }));

const names = ["codec-none", "codec-gzip", "pages-2", "train-00000-of-00002", "train-00001-of-00002", "holes"];
const files = names.map((name) =>
  readFileSync(new URL(`../runtime/data/parquet/made/${name}.parquet`, import.meta.url)),
);
const magic = Buffer.from("PAR1");

/** Pages, the footer or all of a file; the end that leads to the footer stays right in most. */
function make(random: Random): Uint8Array {
  const file = files[random.integer(files.length)] ?? Buffer.alloc(0);
  const footerAt = file.length - 8 - file.readUInt32LE(file.length - 8);
  const [pages, footer] = [file.subarray(0, footerAt), file.subarray(footerAt, file.length - 8)];
  const kind = random.integer(5);
  if (kind === 4) return mutated(file, random);
  if (kind < 2) return joined(samePlaces(pages, random), footer);
  return joined(pages, mutated(footer, random));
}

/** Bytes changed in their places: what lies behind them is still found. */
function samePlaces(bytes: Uint8Array, random: Random): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let edits = 1 + random.integer(4); edits > 0; edits--) {
    const values = [0, 1, 127, 128, 255, random.integer(256)];
    out[4 + random.integer(out.length - 4)] = values[random.integer(values.length)] ?? 0;
  }
  return out;
}

function joined(pages: Uint8Array, footer: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([pages, footer, length, magic]);
}

async function read(bytes: Uint8Array): Promise<string> {
  writeFileSync(path, bytes);
  try {
    const data = { imageColumn: "image", labelColumn: "label", labels: true, shuffleBuffer: 8 };
    const set = await openFiles({ root: folder, given: "a.parquet", what: "train" }, data);
    const reader = openReader(set.reader, 0);
    let bad = 0;
    for (let i = 0; i < Math.min(set.images, 30); i++) {
      const image = await reader.bytes(i).catch((error: unknown) => {
        if (error instanceof TypeError) throw error;
        return null;
      });
      if (image === null) bad++;
    }
    return bad === 0 ? "images" : "bad images";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/undefined|NaN|internal|\[object/);
    return error.code;
  }
}

test.each([["unknown-codec", "R127"]])("once found: %s", async (name, code) => {
  expect(await read(readFileSync(new URL(`./found/${name}.parquet`, import.meta.url)))).toBe(code);
});

fuzz("parquet", { cases: 150, make, read, show: (bytes) => Buffer.from(bytes).toString("base64") });
