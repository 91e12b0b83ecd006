/** Weight files of others, mangled: each is read, or refused in a sentence; none makes the reader take more than it holds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../runtime/checkpoint/safetensors";
import { openWeights } from "../../runtime/checkpoint/weights-file";
import { UserError } from "../../runtime/errors";
import { fuzz, mutated } from "./fuzz";

const folder = mkdtempSync(join(tmpdir(), "ijepa-fuzz-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Far more than any of the files; a reader that believes a length in one of them would need gigabytes. */
const mostBytes = 64_000_000;

async function read(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const before = process.memoryUsage().arrayBuffers;
  let most = before;
  try {
    const file = await openWeights(path);
    try {
      for (const of of file.weights.values()) {
        for (const { read: values } of of.values()) {
          await values();
          most = Math.max(most, process.memoryUsage().arrayBuffers);
        }
      }
    } finally {
      await file.close();
    }
    expect(most - before).toBeLessThan(mostBytes);
    return "read";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/internal:|undefined|\[object/);
    return error.code;
  }
}

const golden = (name: string): Buffer =>
  readFileSync(new URL(`../runtime/checkpoint/torch/golden/${name}`, import.meta.url));
const torchFiles = [
  "official.pth.tar",
  "encoder-alone.pth",
  "target-alone.pth",
  "list.pth",
  "evil.pth",
  "module.pth",
].map(golden);

function withoutChecksums(file: Buffer): Buffer {
  const end = 8 + Number(file.readBigUInt64LE());
  const { __metadata__: _, ...tensors }: Readonly<Record<string, unknown>> = JSON.parse(file.toString("utf8", 8, end));
  const header = Buffer.from(JSON.stringify(tensors));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, file.subarray(end)]);
}

/** Where the pickle lies in a file that torch.save wrote: it is not compressed. */
function pickleOf(file: Buffer): { readonly from: number; readonly to: number } {
  const from = file.indexOf("\x80\x02", 0, "latin1");
  const to = file.indexOf("PK", from, "latin1");
  return { from, to: to < 0 ? file.length : to };
}

describe("weight files", () => {
  let safetensors = Buffer.alloc(0);
  beforeAll(async () => {
    const path = join(folder, "whole.safetensors");
    const tensor = (name: string, shape: readonly number[], values: Float32Array) => ({
      ...{ name, dtype: "F32" as const, shape },
      values: () => values,
    });
    const tensors = [
      tensor("encoder.norm.weight", [8], new Float32Array(8)),
      tensor("encoder.patch_embed.proj.weight", [4, 3, 2, 2], new Float32Array(48)),
      tensor("target_encoder.norm.weight", [8], new Float32Array(8)),
    ];
    await writeSafetensors(path, { metadata: { epoch: "1" }, tensors });
    safetensors = readFileSync(path);
  });

  fuzz("safetensors", {
    cases: 400,
    // Of others, which carry no checksums: behind those every change is refused alike.
    make: (random) => {
      const whole = withoutChecksums(safetensors);
      const header = 8 + Number(whole.readBigUInt64LE());
      if (random.integer(2) === 0) return mutated(whole, random);
      const changed = Buffer.from(mutated(whole.subarray(8, header), random));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(changed.length));
      return Buffer.concat([length, changed, whole.subarray(header)]);
    },
    read: (bytes) => read("fuzz.safetensors", bytes),
    show: (bytes) => Buffer.from(bytes).toString("base64"),
  });

  fuzz("archives of PyTorch", {
    cases: 250,
    make: (random) => mutated(torchFiles[random.integer(torchFiles.length)] ?? safetensors, random),
    read: (bytes) => read("fuzz.pth", bytes),
    show: (bytes) => Buffer.from(bytes).toString("base64"),
  });

  fuzz("pickles in whole archives", {
    cases: 300,
    // In place and of the same length: the archive around it stays what it was, but for its checksum.
    make: (random) => {
      const file = Buffer.from(torchFiles[random.integer(torchFiles.length)] ?? safetensors);
      const { from, to } = pickleOf(file);
      file.set(mutated(file.subarray(from, to), random).subarray(0, to - from), from);
      return file;
    },
    read: (bytes) => read("fuzz.pth", bytes),
    show: (bytes) => Buffer.from(bytes).toString("base64"),
  });

  it.each([
    ["nothing", ""],
    ["the length of a header alone", "\xff\xff\xff\xff\xff\xff\xff\x7f"],
    ["an archive without an end", "PK\x03\x04"],
    // yauzl's own reader threw where nobody could catch it.
    [
      "a directory at the end of all numbers",
      `PK\x03\x04${"\0".repeat(60)}PK\x06\x07\0\0\0\0${"\xff".repeat(8)}\x01\0\0\0PK\x05\x06${"\0".repeat(4)}${"\xff".repeat(12)}\0\0`,
    ],
  ])("once found: %s", async (_, text) => {
    for (const name of ["found.safetensors", "found.pth"]) {
      expect(await read(name, Buffer.from(text, "latin1"))).toMatch(/^R1\d\d$/);
    }
  });
});
