/** Archives that torch.save did not write as they are. The files are made here, with the ZIP library of the exports. */
import { createWriteStream, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { openTorchFile } from "../../../../runtime/checkpoint/torch/archive";
import { isDict, type TorchTensor } from "../../../../runtime/checkpoint/torch/pickle";

const folder = mkdtempSync(join(tmpdir(), "ijepa-archive-"));

interface Shared {
  /** Elements of the one storage. */
  readonly elements: number;
  readonly compress: boolean;
}

/** Two views of one storage: its elements 1 and 2, and a transposed 2×2 of elements 4 to 7. */
async function sharedStorage(name: string, { elements, compress }: Shared): Promise<string> {
  const number = (value: number): string =>
    `J${String.fromCharCode(...[0, 8, 16, 24].map((by) => (value >>> by) & 255))}`;
  const storage = `(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu${number(elements)}tQ`;
  const view = (offset: number, shape: string, strides: string): string =>
    `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${number(offset)}${shape}${strides}\x89NtR`;
  const pickle = `\x80\x02}(U\x01a${view(1, "K\x02\x85", "K\x01\x85")}U\x01b${view(4, "K\x02K\x02\x86", "K\x01K\x02\x86")}u.`;
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(pickle, "latin1"), "x/data.pkl", { compress: false });
  const values = Buffer.from(Float32Array.from({ length: elements }, (_, i) => i).buffer);
  zip.addBuffer(values, "x/data/0", { compress });
  zip.end();
  const path = join(folder, name);
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

async function read(path: string, name: string): Promise<readonly number[]> {
  const file = await openTorchFile(path);
  try {
    const value = isDict(file.root) ? file.root.get(name) : undefined;
    return [...(await file.readFloats(value as TorchTensor))];
  } finally {
    file.close();
  }
}

describe("tensors that share a storage", () => {
  it.each([
    ["a", [1, 2]],
    ["b", [4, 6, 5, 7]],
  ])("%s has its own numbers", async (name, values) => {
    expect(await read(await sharedStorage("shared.pth", { elements: 8, compress: false }), name)).toEqual(values);
  });

  it("are not inflated: torch.save compresses nothing", async () => {
    const path = await sharedStorage("compressed.pth", { elements: 1_000_000, compress: true });
    await expect(read(path, "a")).rejects.toMatchObject({
      code: "R149",
      message: expect.stringMatching(/its data\/0 is compressed, which torch\.save does not do/),
    });
  });
});

describe("a directory that is damaged", () => {
  it("is refused in a sentence, whichever byte of it is another one", async () => {
    const whole = readFileSync(await sharedStorage("whole.pth", { elements: 8, compress: false }));
    const start = whole.indexOf("PK\x01\x02", 0, "latin1");
    for (let at = start; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
      const path = join(folder, "damaged.pth");
      writeFileSync(path, bytes);
      const outcome = await read(path, "a").catch((error: unknown) => error);
      // A byte that nobody reads, such as the time of a file, may be any.
      if (!Array.isArray(outcome)) expect(outcome, `byte ${at}`).toMatchObject({ name: "UserError" });
    }
  });
});
