import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeSafetensors } from "../../../runtime/checkpoint/safetensors";

/** How many bytes the disk still takes, in these tests. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }));

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  return {
    ...fs,
    open: async (...args: Parameters<typeof fs.open>) => {
      const file = await fs.open(...args);
      const write = file.write.bind(file);
      const limited = async (bytes: Uint8Array, offset: number, length: number) => {
        if (disk.room <= 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
        // A disk that fills up takes a part of the bytes first.
        const taken = Math.min(length, disk.room);
        disk.room -= taken;
        return write(bytes, offset, taken);
      };
      return Object.assign(file, { write: limited });
    },
  };
});

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ijepa-atomic-"));
  path = join(folder, "run-latest.safetensors");
});
afterEach(async () => {
  disk.room = Number.POSITIVE_INFINITY;
  await rm(folder, { recursive: true });
});

const content = (fill: number, values = () => new Float32Array(1000).fill(fill)) => ({
  metadata: { fill: String(fill) },
  tensors: [
    { name: "a", dtype: "F32" as const, shape: [1000], values },
    { name: "b", dtype: "F32" as const, shape: [1000], values },
  ],
});

describe("writeSafetensors", () => {
  test("replaces the file that was there", async () => {
    await writeSafetensors(path, content(1));
    await writeSafetensors(path, content(2));
    expect((await readFile(path)).includes('"fill":"2"')).toBe(true);
    expect(await readdir(folder)).toEqual(["run-latest.safetensors"]);
  });

  test.each([0, 1, 100, 4200, 8100])("a disk that is full after %i bytes leaves the old file alone", async (room) => {
    await writeSafetensors(path, content(1));
    const before = await readFile(path);
    disk.room = room;
    await expect(writeSafetensors(path, content(2))).rejects.toMatchObject({
      name: "UserError",
      code: "R142",
      message: expect.stringContaining("the disk is full"),
    });
    expect(await readdir(folder)).toEqual(["run-latest.safetensors"]);
    expect(await readFile(path)).toEqual(before);
  });

  test("an error of the values is passed on, and nothing is left", async () => {
    await writeSafetensors(path, content(1));
    const before = await readFile(path);
    let calls = 0;
    const failing = () => {
      if (++calls === 2) throw new Error("the engine is gone");
      return new Float32Array(1000);
    };
    await expect(writeSafetensors(path, content(2, failing))).rejects.toThrow("the engine is gone");
    expect(await readdir(folder)).toEqual(["run-latest.safetensors"]);
    expect(await readFile(path)).toEqual(before);
  });

  test("values that do not fit the shape are our mistake", async () => {
    await expect(
      writeSafetensors(
        path,
        content(1, () => new Float32Array(3)),
      ),
    ).rejects.toThrow(/^internal: a has 3/);
    expect(await readdir(folder)).toEqual([]);
  });

  test("a folder that is not there", async () => {
    await expect(writeSafetensors(join(folder, "no", "x.safetensors"), content(1))).rejects.toMatchObject({
      code: "R142",
    });
  });

  test("what a killed writer left is removed once it is old, and only then", async () => {
    const old = join(folder, ".run-latest.safetensors.00000000.tmp");
    const young = join(folder, ".run-latest.safetensors.11111111.tmp");
    const other = join(folder, ".other.safetensors.22222222.tmp");
    for (const left of [old, young, other]) await writeFile(left, "half");
    const anHourAgo = Date.now() / 1000 - 3600;
    for (const left of [old, other]) await utimes(left, anHourAgo, anHourAgo);
    await writeSafetensors(path, content(1));
    expect((await readdir(folder)).sort()).toEqual([
      ".other.safetensors.22222222.tmp",
      ".run-latest.safetensors.11111111.tmp",
      "run-latest.safetensors",
    ]);
  });

  test("a process that is killed in the middle leaves the old file whole", async () => {
    await writeSafetensors(path, content(1));
    const before = await readFile(path);
    const source = `
      import { writeSafetensors } from ${JSON.stringify(join(import.meta.dirname, "../../../runtime/checkpoint/safetensors"))};
      const tensor = (name, values) => ({ name, dtype: "F32", shape: [100000], values });
      writeSafetensors(${JSON.stringify(path)}, { metadata: {}, tensors: [
        tensor("a", () => new Float32Array(100000)),
        tensor("b", () => new Promise(() => { process.stdout.write("half"); setInterval(() => 0, 1000); })),
      ] });`;
    const script = join(folder, "writer.cjs");
    await build({
      stdin: { contents: source, resolveDir: folder, loader: "ts" },
      bundle: true,
      platform: "node",
      format: "cjs",
      outfile: script,
    });
    const writer = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(writer.stdout, "data");
    writer.kill("SIGKILL");
    await once(writer, "exit");
    const left = (await readdir(folder)).filter((name) => name.endsWith(".tmp"));
    expect(left).toHaveLength(1);
    expect(await readFile(path)).toEqual(before);
  });
});
