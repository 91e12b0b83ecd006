/** Features as arrays: read back here, and by NumPy where a Python has it (`IJEPA_PYTHON`, else `python3`). */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../runtime/errors";
import { type EmbedOptions, embed } from "../../../tools/embed/embed";
import { npyHeader } from "../../../tools/embed/npy";
import { writeTable } from "../../../tools/embed/parquet";
import { ExportRefused } from "../../../tools/export/refused";
import { writeShards } from "../../runtime/data/fixture";
import { furthest, makeRun, type SmallRun } from "../../support/exported";

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

interface Row {
  readonly image: string;
  readonly label?: string | null;
  readonly features: number[];
  readonly patches?: number[][];
}

async function tableOf(path: string): Promise<readonly Row[]> {
  const rows: unknown = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  return rows as readonly Row[];
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

  test("a parquet table has image, label, pooled and patch features, those of the arrays", async () => {
    await embedded("same.npy");
    const [pooled, patches] = [numbersOf(join(folder, "same.npy")), numbersOf(join(folder, "same-patches.npy"))];
    const { written } = await embedded("t.parquet");
    expect(written).toEqual([{ path: join(folder, "t.parquet"), shape: [18, 4] }]);
    const rows = await tableOf(join(folder, "t.parquet"));
    const names = readFileSync(join(folder, "same-files.txt"), "utf8").trimEnd().split("\n");
    expect(rows.map(({ image }) => image)).toEqual(names);
    expect(rows.map(({ label }) => label)).toEqual(names.map((name) => (name.includes("/more/") ? "more" : null)));
    expect(
      furthest(
        rows.flatMap(({ features }) => features),
        pooled,
      ),
    ).toBeLessThan(1e-6);
    expect(rows[3]?.patches).toHaveLength(36);
    expect(
      furthest(
        rows.flatMap(({ patches: of }) => of?.flat() ?? []),
        patches,
      ),
    ).toBeLessThan(1e-6);
    await embedded("pooled.parquet", { patches: false });
    expect(Object.keys((await tableOf(join(folder, "pooled.parquet")))[0] ?? {})).toEqual([
      "image",
      "label",
      "features",
    ]);
  });

  test("labels of shards and tables, and of folders that are split; no column where there are none", async () => {
    const shards = join(folder, "labelled-shards");
    await writeShards(shards);
    const made = new URL("../../runtime/data/parquet/made/", import.meta.url).pathname;
    const split = join(folder, "split");
    for (const [part, name] of [
      ["train", "cat"],
      ["val", "dog"],
    ] as const) {
      mkdirSync(join(split, part, name), { recursive: true });
      writeFileSync(join(split, part, name, "a.png"), readFileSync(join(images, "1.png")));
    }
    const given: readonly (readonly [images: string, labels: readonly unknown[] | undefined])[] = [
      [join(made, "train-00000-of-00002.parquet"), ["cat", "dog", "cat"]],
      [join(shards, "train-000000.tar"), ["0", "1", "0"]],
      [split, ["cat", "dog"]],
      [join(images, "more"), undefined],
    ];
    for (const [i, [of, wanted]] of given.entries()) {
      const out = join(folder, `labels-${i}.parquet`);
      await embedded(`labels-${i}.parquet`, { images: of, patches: false });
      const found = (await tableOf(out)).map(({ label }) => label);
      expect(found.slice(0, wanted?.length ?? 1), of).toEqual(wanted ?? [undefined]);
    }
  });

  test("many images are several row groups, and no row is lost between them", async () => {
    const path = join(folder, "groups.parquet");
    const [count, width, patches] = [11, 1024, 255];
    const value = (image: number, patch: number, c: number): number => Math.fround(image + patch / 256 + c / 2 ** 20);
    async function* rows() {
      for (let image = 0; image < count; image++) {
        yield {
          images: [`é${image}`],
          labels: [image % 3 === 0 ? null : "b"],
          pooled: Float32Array.from({ length: width }, (_, c) => value(image, 0, c)),
          patches: Float32Array.from({ length: patches * width }, (_, at) =>
            value(image, 1 + Math.floor(at / width), at % width),
          ),
        };
      }
    }
    await writeTable(path, { images: count, width, patches, hasLabels: true, facts: { experiment: "x" } }, rows());
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([8, 3]);
    expect(metadata.key_value_metadata).toEqual([{ key: "experiment", value: "x" }]);
    const found = await tableOf(path);
    expect(found.map(({ image }) => image)).toEqual(Array.from({ length: count }, (_, i) => `é${i}`));
    expect(found.map(({ label }) => label ?? "-").join("")).toBe("-bb-bb-bb-b");
    for (const [image, { features, patches: of }] of found.entries()) {
      expect(features[1000]).toBe(value(image, 0, 1000));
      expect(of?.[254]?.[7]).toBe(value(image, 255, 7));
    }
  });

  test("a table is not written over, and a broken image leaves none", async () => {
    writeFileSync(join(folder, "mine.parquet"), "mine");
    expect(await refusal(embedded("mine.parquet"))).toBe("E465");
    const bad = join(folder, "bad");
    mkdirSync(bad);
    writeFileSync(join(bad, "a.png"), "no image");
    expect(await refusal(embedded("h.parquet", { images: bad }))).toBe("E466");
    const nan = await makeRun(join(folder, "nan"), (path, values) => {
      if (path === "target.norm.bias" || path === "target.norm.weight") values[2] = 3e38;
    });
    expect(await refusal(embedded("h.parquet", { from: nan.checkpoint }))).toBe("R150");
    expect(readdirSync(folder).filter((name) => /^\.?h\b/.test(name))).toEqual([]);
  });

  const python = process.env.IJEPA_PYTHON ?? "python3";
  const hasArrow = spawnSync(python, ["-c", "import pandas, pyarrow"]).status === 0;
  if (!hasArrow)
    console.log("Python's pandas and pyarrow are not here (IJEPA_PYTHON): that they load it is not tested.");
  test.skipIf(!hasArrow)("pandas and pyarrow load a table", async () => {
    await embedded("p.parquet");
    const script = [
      "import numpy, pandas, pyarrow.parquet, sys",
      "t = pyarrow.parquet.read_table(sys.argv[1])",
      "f = pandas.read_parquet(sys.argv[1])",
      "a = numpy.stack(f.features); p = numpy.stack([numpy.stack(one) for one in f.patches])",
      "print(list(map(str, t.schema.types)), a.shape, a.dtype, p.shape, f.label.isna().sum(), abs(p.mean(1) - a).max() < 1e-5)",
    ].join("\n");
    const { stdout, stderr } = spawnSync(python, ["-c", script, join(folder, "p.parquet")], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^\['string', 'string', 'list<element: float.*>', 'list<element: list<element: float.*>'\]/);
    expect(stdout.trim()).toMatch(/\(18, 32\) float32 \(18, 36, 32\) 9 True$/);
  });

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
