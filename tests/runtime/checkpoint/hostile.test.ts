/** Files that would take more than there is, or lie: each is a sentence, at once. What they claim is in holes of sparse files. */
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openSafetensors } from "../../../runtime/checkpoint/safetensors";
import { openTorchFile } from "../../../runtime/checkpoint/torch/archive";
import { isDict, type TorchTensor } from "../../../runtime/checkpoint/torch/pickle";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import { parameters } from "./fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (path: string) => loadWeights({ path, parameters, write: async () => {} });

/** A header that says one tensor of F32, and a file as long as it says, without a byte on the disk. */
function sparse(name: string, tensor: string, elements: number): string {
  const header = Buffer.from(
    JSON.stringify({ [tensor]: { dtype: "F32", shape: [elements], data_offsets: [0, 4 * elements] } }).padEnd(256),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([length, header]));
  truncateSync(path, 8 + header.length + 4 * elements);
  return path;
}

describe("a tensor larger than memory", () => {
  // Twice as much, in four bytes each.
  const elements = Math.ceil(totalmem() / 2);

  it("is no weight of this model", async () => {
    await expect(load(sparse("large.safetensors", "encoder.norm.weight", elements))).rejects.toMatchObject({
      code: "R171",
    });
  });

  it("is not read where all are", async () => {
    const file = await openSafetensors(sparse("larger.safetensors", "encoder.norm.weight", elements));
    await expect(file.read("encoder.norm.weight")).rejects.toMatchObject({
      code: "R141",
      message: expect.stringMatching(/encoder\.norm\.weight has \S+ GB, more than the \S+ GB of memory/),
    });
    await file.close();
  });

  it("is not made of a small storage", async () => {
    const file = await openTorchFile(
      archive("expanded.pth", { elements: 4, shape: 2 ** 30, stride: 0, times: 2 ** 12 }),
    );
    const value = isDict(file.root) ? file.root.get("a") : undefined;
    await expect(file.readFloats(value as TorchTensor)).rejects.toMatchObject({
      code: "R141",
      message: expect.stringMatching(/more than the \S+ GB of memory/),
    });
    file.close();
  });
});

describe("one storage of 2 GiB under many tensors", () => {
  it("is read where each of them lies, not in whole for each", async () => {
    const path = archive("shared.pth", { elements: 2 ** 29, shape: 2, stride: 1, times: 1 });
    const file = await openTorchFile(path);
    const value = isDict(file.root) ? file.root.get("a") : undefined;
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 64; i++) expect([...(await file.readFloats(value as TorchTensor))]).toEqual([0, 0]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
    file.close();
  });
});

it("a flipped name of a tensor is a weight that is not there", async () => {
  const path = join(folder, "flipped.safetensors");
  const text = JSON.stringify({
    "encoder.patch_embed.proj.weighu": { dtype: "F32", shape: [1], data_offsets: [0, 4] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(text), Buffer.alloc(4)]));
  await expect(load(path)).rejects.toMatchObject({
    code: "R171",
    message: expect.stringMatching(/encoder\.\S+ is not there/),
  });
});

/** What torch.save would write of one tensor `a`, [times, shape], over a storage of zeros that takes no room on the disk. */
function archive(
  name: string,
  {
    elements,
    shape,
    stride,
    times,
  }: { readonly elements: number; readonly shape: number; readonly stride: number; readonly times: number },
): string {
  const int = (value: number): string => `J${String.fromCharCode(...[0, 8, 16, 24].map((by) => (value >>> by) & 255))}`;
  const storage = `(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu${int(elements)}tQ`;
  const [sizes, strides] =
    times === 1
      ? [`${int(shape)}\x85`, `${int(stride)}\x85`]
      : [`${int(times)}${int(shape)}\x86`, `${int(0)}${int(stride)}\x86`];
  const pickle = Buffer.from(
    `\x80\x02}(U\x01actorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00${sizes}${strides}\x89NtRu.`,
    "latin1",
  );
  const parts = [
    { name: "x/data.pkl", bytes: pickle.length, crc: crc32(pickle) },
    { name: "x/data/0", bytes: 4 * elements, crc: 0 },
  ];
  const path = join(folder, name);
  const file = openSync(path, "w");
  let at = 0;
  const put = (bytes: Buffer): void => {
    writeSync(file, bytes, 0, bytes.length, at);
    at += bytes.length;
  };
  const directory = parts.map((part) => {
    const offset = at;
    put(Buffer.concat([headerOf("PK\x03\x04", part), Buffer.from(part.name)]));
    if (part.name.endsWith(".pkl")) put(pickle);
    else at += part.bytes;
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    return Buffer.concat([headerOf("PK\x01\x02", part), tail, Buffer.from(part.name)]);
  });
  const start = at;
  for (const entry of directory) put(entry);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(at - start, 12);
  end.writeUInt32LE(start, 16);
  put(end);
  ftruncateSync(file, at);
  closeSync(file);
  return path;
}

/** Up to the lengths of name and extra field; nothing is compressed. */
function headerOf(mark: string, part: { readonly name: string; readonly bytes: number; readonly crc: number }): Buffer {
  const isCentral = mark === "PK\x01\x02";
  const shift = isCentral ? 2 : 0;
  const header = Buffer.alloc(30 + shift);
  header.write(mark, "latin1");
  header.writeUInt32LE(part.crc, 14 + shift);
  header.writeUInt32LE(part.bytes, 18 + shift);
  header.writeUInt32LE(part.bytes, 22 + shift);
  header.writeUInt16LE(part.name.length, 26 + shift);
  return header;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
