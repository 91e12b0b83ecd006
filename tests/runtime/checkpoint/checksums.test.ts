import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../../../runtime/checkpoint/checkpoint";
import { readSafetensors } from "../../../runtime/checkpoint/safetensors";
import { randomAt } from "../../../runtime/random/random";
import { experiment, parameters, readerOf, stateOf, tables } from "./fixture";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ijepa-checksums-"));
  path = join(folder, "tiny-latest.safetensors");
  const progress = { step: 12, epoch: 3, loss: 0.25 };
  await saveCheckpoint({ path, experiment, parameters, read: readerOf(stateOf(parameters)), tables, progress });
});
afterEach(() => rm(folder, { recursive: true }));

const load = () => loadCheckpoint({ path, experiment, parameters, write: async () => {} });

type Change = (bytes: Buffer) => Buffer;

async function change(how: Change): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, how(bytes));
}

const flipLast = (bytes: Buffer) => {
  bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
  return bytes;
};

const swapText = (from: string, to: string) => (bytes: Buffer) => {
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.write(to, at);
  return bytes;
};

describe("a checkpoint that was changed after it was written", () => {
  it.each<readonly [what: string, how: Change, says: RegExp]>([
    ["the last byte", flipLast, /tensor \S+ is not what/],
    [
      "a zeroed half",
      (bytes) => bytes.fill(0, bytes.length >> 1),
      /tensor \S+ is not what was written, by its checksum/,
    ],
    ["another step", swapText('"step":"12"', '"step":"13"'), /header is not what was written/],
    ["another name of a tensor", swapText("qkv.weight", "qkw.weight"), /header is not what was written/],
    ["another learning rate", swapText("0.001", "0.002"), /header is not what was written/],
  ])("%s: R140", async (_, how, says) => {
    await change(how);
    await expect(load()).rejects.toMatchObject({ code: "R140", message: expect.stringMatching(says) });
  });

  const seed = 20_261_127;
  it(`any bit, seed ${seed}`, async () => {
    const whole = await readFile(path);
    const source = randomAt({ seed, purpose: "flipped bits" });
    for (let i = 0; i < 200; i++) {
      // Every other one in the header, which is a small part of the file.
      const within = i % 2 === 0 ? whole.length : 8 + Number(whole.readBigUInt64LE(0));
      const [at, bit] = [source.integer(within), source.integer(8)];
      await change(() => {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        return bytes;
      });
      // The position tables, which a trainer does not load, are read by others.
      const read = load().then(() => readSafetensors(path));
      await expect(read, `seed ${seed}, bit ${bit} of byte ${at}`).rejects.toMatchObject({ name: "UserError" });
    }
  });
});

describe("a file without checksums", () => {
  it("is taken as it is: other programs write none", async () => {
    await change((bytes) => {
      const length = Number(bytes.readBigUInt64LE(0));
      const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
      const { sha256: _, header_sha256: __, ...metadata } = header.__metadata__;
      const text = JSON.stringify({ ...header, __metadata__: metadata }).padEnd(length);
      return Buffer.concat([bytes.subarray(0, 8), Buffer.from(text), bytes.subarray(8 + length)]);
    });
    expect((await load()).progress.step).toBe(12);
  });
});
