import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { maxHeaderBytes } from "../../../runtime/checkpoint/header";
import {
  openSafetensors,
  readHeader,
  readSafetensors,
  type TensorToWrite,
  writeSafetensors,
} from "../../../runtime/checkpoint/safetensors";
import { UserError } from "../../../runtime/errors";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ijepa-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file of any header text and data. */
function fileOf(header: string | object, data: Uint8Array | number[] = [], length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "case.safetensors");
  await writeFile(path, bytes);
  return path;
}

describe("round trips", () => {
  test("every dtype that is written, with odd sizes, scalars and empty tensors", async () => {
    const path = join(folder, "all.safetensors");
    const values = {
      bytes: new Float32Array([1.5, -0, Number.NaN, 3e38, 1e-45]),
      wide: new Float64Array([Math.PI, -1e300]),
      index: new Int32Array([-1, 2 ** 31 - 1, 0]),
      count: new BigInt64Array([-(2n ** 63n), 5n]),
      scalar: new Float32Array([2]),
      empty: new Float32Array(0),
    };
    await writeSafetensors(path, {
      metadata: { format: "pt", 'odd "key"\n': "é" },
      tensors: [
        { name: "bytes", dtype: "F32", shape: [5], values: () => values.bytes },
        { name: "wide", dtype: "F64", shape: [1, 2], values: async () => values.wide },
        { name: "index", dtype: "I32", shape: [3], values: () => values.index },
        { name: "count", dtype: "I64", shape: [2], values: () => values.count },
        { name: "scalar", dtype: "F32", shape: [], values: () => values.scalar },
        { name: "empty", dtype: "F32", shape: [3, 0], values: () => values.empty },
      ],
    });
    const { metadata, tensors } = await readSafetensors(path);
    expect(Object.fromEntries(metadata)).toEqual({ format: "pt", 'odd "key"\n': "é" });
    for (const [name, want] of Object.entries(values)) expect(tensors.get(name)?.values, name).toEqual(want);
    expect(tensors.get("wide")?.shape).toEqual([1, 2]);
    expect((await readFile(path)).readBigUInt64LE() % 8n).toBe(0n);
    expect([...tensors.keys()].slice(0, 2)).toEqual(["wide", "count"]);
  });

  test("any names, shapes and values", async () => {
    const path = join(folder, "any.safetensors");
    const tensor = fc.record({
      name: fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__"),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
      seed: fc.float({ noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 }), async (list) => {
        const tensors = list.map(({ name, shape, seed }): TensorToWrite => {
          const size = shape.reduce((a, b) => a * b, 1);
          return { name, dtype: "F32", shape, values: () => new Float32Array(size).fill(seed) };
        });
        await writeSafetensors(path, { metadata: {}, tensors });
        const read = await readSafetensors(path);
        expect(read.tensors.size).toBe(list.length);
        for (const { name, shape, values } of tensors) {
          expect(read.tensors.get(name)?.shape).toEqual(shape);
          expect(read.tensors.get(name)?.values).toEqual(values());
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    // Bits in hex: sign, exponent (5 or 8), fraction.
    ["F16", 0x3c00, 1],
    ["F16", 0xc000, -2],
    ["F16", 0x7bff, 65504],
    ["F16", 0x0001, 2 ** -24],
    ["F16", 0x0400, 2 ** -14],
    ["F16", 0x8000, -0],
    ["F16", 0x7c00, Number.POSITIVE_INFINITY],
    ["F16", 0xfc00, Number.NEGATIVE_INFINITY],
    ["F16", 0x7e00, Number.NaN],
    ["F16", 0x3555, 0.333251953125],
    ["BF16", 0x3f80, 1],
    ["BF16", 0xc000, -2],
    ["BF16", 0x4049, 3.140625],
    ["BF16", 0x7f80, Number.POSITIVE_INFINITY],
  ] as const)("%s %i is %d", async (dtype, bits, want) => {
    const path = await written(fileOf({ x: { dtype, shape: [1], data_offsets: [0, 2] } }, [bits & 255, bits >> 8]));
    const file = await openSafetensors(path);
    expect((await file.readFloats("x", [1]))[0]).toBe(want);
    await file.close();
  });
});

describe("a bad file is an error that names it", () => {
  const f32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = "F32") => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  const data = new Uint8Array(8);
  test.each<[name: string, bytes: Uint8Array, why: RegExp]>([
    ["empty", new Uint8Array(0), /has 0 bytes/],
    ["shorter than its length", new Uint8Array(7), /has 7 bytes/],
    ["an absurd header length", fileOf("{}", [], 2n ** 64n - 1n), /claims 18446744073709551615 bytes, more than/],
    ["a header longer than allowed", fileOf("{}", [], BigInt(maxHeaderBytes) + 1n), /more than the 100000000/],
    ["a header longer than the file", fileOf("{}", [], 3n), /claims 3 bytes, but the file has only 10/],
    ["no JSON", fileOf("{oops"), /not JSON/],
    ["no UTF-8", fileOf("{}", [], 2n).map((byte, i) => (i === 8 ? 0xff : byte)), /not JSON/],
    ["a list", fileOf("[]"), /not a JSON object/],
    ["a deeply nested header", fileOf(`{"x":${"[".repeat(1e5)}${"]".repeat(1e5)}}`), /not described by an object/],
    ["metadata that is no text", fileOf({ __metadata__: { step: 3 } }), /metadata "step" is not a string/],
    ["metadata that is a list", fileOf({ __metadata__: [] }), /__metadata__ is not an object/],
    ["an unknown dtype", fileOf({ x: f32(0, 8, [2], "F31") }, data), /dtype "F31"/],
    ["a dtype from the prototype", fileOf({ x: f32(0, 8, [2], "toString") }, data), /dtype "toString"/],
    ["a negative size", fileOf({ x: f32(0, 8, [-2]) }, data), /shape \[-2\]/],
    ["a broken size", fileOf({ x: f32(0, 8, [2.5]) }, data), /shape \[2.5\]/],
    ["a shape that is too large", fileOf({ x: f32(0, 8, [3]) }, data), /12 bytes, but its range has 8/],
    ["sizes beyond all numbers", fileOf({ x: f32(0, 8, [2 ** 52, 2 ** 52, 2 ** 52]) }, data), /its range has 8/],
    ["a range that runs backwards", fileOf({ x: f32(8, 0, [2]) }, data), /byte range \[8,0\]/],
    ["three offsets", fileOf({ x: { dtype: "F32", shape: [2], data_offsets: [0, 4, 8] } }, data), /byte range/],
    ["no offsets", fileOf({ x: { dtype: "F32", shape: [2] } }, data), /byte range nothing/],
    ["overlapping tensors", fileOf({ x: f32(0, 8), y: f32(4, 8) }, data), /"y" begins at byte 4, not 8: it overlaps/],
    ["a hole", fileOf({ x: f32(4, 8) }, data), /"x" begins at byte 4, not 0: it leaves a hole/],
    ["cut off", fileOf({ x: f32(0, 16) }, data), /need 16 bytes of data, but 8 are there/],
    ["too long", fileOf({ x: f32(0, 4) }, data), /need 4 bytes of data, but 8 are there/],
  ])("%s", async (_, bytes, why) => {
    const path = await written(bytes);
    const error = await readSafetensors(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: "R140", message: expect.stringContaining(path) });
    expect(String(error)).toMatch(why);
  });

  test.each([
    ["no such file", () => join(folder, "nowhere.safetensors"), /no such file/],
    ["a folder", () => folder, /it is a folder/],
    ["an impossible name", () => "a\0b", /null bytes/],
  ])("%s", async (_, pathOf, why) => {
    const error = await readHeader(pathOf()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UserError", code: "R141" });
    expect(String(error)).toMatch(why);
  });

  test("a tensor that is missing, of another shape, or of a dtype that is never read", async () => {
    const path = await written(fileOf({ x: f32(0, 4), y: f32(4, 8, [4], "U8") }, data));
    const file = await openSafetensors(path);
    await expect(file.read("z")).rejects.toMatchObject({ code: "R143" });
    await expect(file.read("y")).rejects.toMatchObject({ code: "R144" });
    await expect(file.readFloats("x", [2])).rejects.toThrow("the tensor x is F32 [1], but F32 [2] is needed");
    await expect(file.readFloats("y", [4])).rejects.toMatchObject({ code: "R144" });
    await file.close();
  });

  test("any damage to a good file: a UserError or the same shapes, never a raw exception", async () => {
    const good = fileOf(
      { __metadata__: { format: "pt" }, a: f32(0, 8), b: f32(8, 24, [2, 2]), c: f32(24, 32, [1], "I64") },
      new Uint8Array(32).map((_, i) => i),
    );
    const damage = fc.oneof(
      fc.record({ kind: fc.constant("cut" as const), at: fc.nat(good.length) }),
      fc.record({ kind: fc.constant("grow" as const), by: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
      fc.record({
        kind: fc.constant("flip" as const),
        at: fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      }),
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        let bytes = good.slice();
        if (how.kind === "cut") bytes = bytes.slice(0, how.at);
        else if (how.kind === "grow") bytes = Uint8Array.from([...bytes, ...how.by]);
        else for (const [at, value] of how.at) bytes[at] = value;
        const path = await written(bytes);
        try {
          const { tensors } = await readSafetensors(path);
          for (const { shape, values } of tensors.values()) {
            expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
          }
          if (how.kind === "cut") expect(how.at).toBe(good.length);
          expect(how.kind).not.toBe("grow");
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).toContain(path);
          expect(error.message).not.toContain("internal:");
          refused++;
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe("golden files of the official implementation", () => {
  const golden = join(import.meta.dirname, "../../golden/official");
  test("are readable, whole", async () => {
    const files = (await readdir(golden)).filter((name) => name.endsWith(".safetensors"));
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const name of files) {
      const { tensors } = await readSafetensors(join(golden, name));
      expect(tensors.size).toBeGreaterThan(0);
      for (const [tensor, { values }] of tensors) {
        if (values instanceof Float32Array) expect(values.every(Number.isFinite), `${name} ${tensor}`).toBe(true);
      }
    }
  });

  test("hold the tensors that they are known to hold", async () => {
    const { tensors } = await readSafetensors(join(golden, "step_tiny_official_init.safetensors"));
    const mask = tensors.get("step0.mask_enc.0");
    expect(mask?.values).toBeInstanceOf(Int32Array);
    const loss = tensors.get("fwd.loss_smooth_l1");
    expect(loss?.shape).toEqual([]);
    expect(Number(loss?.values[0])).toBeGreaterThan(0);
  });
});
