/** Features as arrays: read back here, and by NumPy where a Python has it (`IJEPA_PYTHON`, else `python3`). */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../runtime/errors";
import { type EmbedOptions, embed } from "../../../tools/embed/embed";
import { npyHeader } from "../../../tools/embed/npy";
import { ExportRefused } from "../../../tools/export/refused";
import { writeShards } from "../../runtime/data/fixture";
import { makeRun, type SmallRun } from "../../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-embed-"));
const from = join(folder, "run");
const images = join(folder, "images");
let run: SmallRun;
beforeAll(async () => {
  run = await makeRun(from);
  mkdirSync(join(images, "more"), { recursive: true });
  for (let i = 0; i < 18; i++) {
    const background = { r: 10 * i, g: 255 - 12 * i, b: (90 * i) % 256 };
    const picture = sharp({ create: { width: 24, height: 24, channels: 3, background } }).png();
    await picture.toFile(join(images, i < 9 ? `${i}.png` : `more/${i}.png`));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const embedded = (name: string, more: Partial<EmbedOptions> = {}) => {
  const out = join(folder, name);
  return embed({ from, encoder: "target", spec: null, images, out, patches: true, progress: () => {}, ...more });
};

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ExportRefused) return error.problem.code;
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return "nothing";
}

function numbersOf(path: string): Float32Array {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  expect(start % 64).toBe(0);
  return new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer);
}

const shapes: readonly (readonly [shape: readonly number[], tuple: string])[] = [
  [[7], "(7,)"],
  [[18, 32], "(18, 32)"],
  [[18, 36, 32], "(18, 36, 32)"],
];
test.each(shapes)("the header of %j", (shape, tuple) => {
  const header = Buffer.from(npyHeader(shape));
  expect(header.subarray(0, 8)).toEqual(Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]));
  expect(header.length % 64).toBe(0);
  expect(header.toString("latin1", 10).trimEnd()).toBe(`{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`);
  expect(header.at(-1)).toBe(10);
});

test("images in tar shards and parquet files, named by where they lie", async () => {
  const shards = join(folder, "shards");
  await writeShards(shards);
  const parquet = new URL("../../runtime/data/parquet/made/train-00000-of-00002.parquet", import.meta.url).pathname;
  for (const [given, count, first] of [
    [`${shards}/train-{000000..000001}.tar`, 10, join(shards, "train-000000.tar/000000.png")],
    [parquet, 11, `${parquet}#0`],
  ] as const) {
    const name = `from-${count}.npy`;
    const { written } = await embedded(name, { images: given, patches: false });
    expect(written[0]?.shape).toEqual([count, 32]);
    expect(readFileSync(join(folder, `from-${count}-files.txt`), "utf8").split("\n")[0]).toBe(first);
  }
});

describe("embed", () => {
  test("writes pooled and patch features, a row for each image by name", async () => {
    const { written } = await embedded("f.npy");
    expect(written.map(({ shape }) => shape)).toEqual([[18, 32], [18, 36, 32], [18]]);
    const [pooled, patches] = [numbersOf(join(folder, "f.npy")), numbersOf(join(folder, "f-patches.npy"))];
    const names = readFileSync(join(folder, "f-files.txt"), "utf8").trimEnd().split("\n");
    expect(names).toHaveLength(18);
    const seventh = names.indexOf(join(images, "7.png"));
    const { image } = run.experiment;
    const colours = [70, 255 - 84, 630 % 256];
    const pixels = Float32Array.from({ length: 3 * 576 }, (_, i) => {
      const channel = Math.floor(i / 576);
      return ((colours[channel] ?? 0) / 255 - (image.mean[channel] ?? 0)) / (image.std[channel] ?? 1);
    });
    const wanted = await run.encode(pixels, "target");
    for (let c = 0; c < 32; c++) {
      let mean = 0;
      for (let patch = 0; patch < 36; patch++) {
        expect(patches[(seventh * 36 + patch) * 32 + c]).toBeCloseTo(wanted[patch * 32 + c] ?? Number.NaN, 4);
        mean += (wanted[patch * 32 + c] ?? 0) / 36;
      }
      expect(pooled[seventh * 32 + c]).toBeCloseTo(mean, 4);
    }
  });

  test("never writes over a file, and leaves nothing behind where it is refused", async () => {
    writeFileSync(join(folder, "there-files.txt"), "mine");
    expect(await refusal(embedded("there.npy"))).toBe("E465");
    const broken = join(folder, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "a.png"), "no image");
    expect(await refusal(embedded("g.npy", { images: broken }))).toBe("E466");
    expect(await refusal(embedded("g.npy", { images: join(folder, "nowhere") }))).toBe("E101");
    expect(await refusal(embedded("g.npy", { images: run.checkpoint }))).toBe("E464");
    expect(readdirSync(folder).filter((name) => /^\.?(g|there)\b/.test(name))).toEqual(["there-files.txt"]);
    expect(existsSync(join(folder, "there.npy"))).toBe(false);
  });

  const python = process.env.IJEPA_PYTHON ?? "python3";
  const has = spawnSync(python, ["-c", "import numpy"]).status === 0;
  if (!has) console.log("Python's NumPy is not here (IJEPA_PYTHON): that it loads .npy files is not tested.");
  test.skipIf(!has)("NumPy loads them", async () => {
    await embedded("n.npy", { patches: false });
    const script = "import numpy, sys; a = numpy.load(sys.argv[1], mmap_mode='r'); print(a.shape, a.dtype, a[3].sum())";
    const { stdout, stderr } = spawnSync(python, ["-c", script, join(folder, "n.npy")], { encoding: "utf8" });
    const row = numbersOf(join(folder, "n.npy")).slice(96, 128);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^\(18, 32\) float32 /);
    expect(Number(stdout.trim().split(" ").at(-1))).toBeCloseTo(
      row.reduce((sum, value) => sum + value, 0),
      3,
    );
  });
});
