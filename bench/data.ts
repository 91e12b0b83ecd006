/**
 * How fast images are decoded, cropped and resized: `npm run bench:data`, beside torchvision's DataLoader with as many workers,
 * in turn. IJEPA_PYTHON names a Python with torch and torchvision.
 *
 *   --images N       JPEG of 500×375 that are made for it (default 512)
 *   --rounds N       processes of each side and setting (default 5), in turn
 *   --steps N        timed batches of 64 (default 16), after 4 that warm up
 *   --note TEXT      what else has to be known of this run, as a sentence
 *   --record FILE    keeps the result as JSON; docs/data-speed.json is the one in docs/data-speed.md
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import sharp from "sharp";
import { buildPlan } from "../compiler/plan/plan";
import { specFromText } from "../compiler/spec/load";
import { turbojpeg, turbojpegPackage } from "../runtime/data/jpeg/turbojpeg";
import { nativeVersions } from "../runtime/installs";
import { randomAt } from "../runtime/random/random";
import type { DataDriverRequest } from "./data-driver";
import {
  type DataSetting,
  type DataSide,
  type DataSpeedRecord,
  dataSides,
  dataSpeedIntroduction,
  dataSpeedTable,
  type MeasuredImages,
} from "./data-record";

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = join(tmpdir(), "ijepa-bench-data");
const batch = 64;
const warmup = 4;
const size = 224;
/** Of an ordinary photograph of ImageNet. */
const width = 500;
const height = 375;

/** Noise of every scale, the larger the stronger, as photographs have it; about 100 kB each, as those of ImageNet. */
async function makeImages(count: number): Promise<string> {
  const folder = join(scratch, `images-${count}`);
  const inClass = join(folder, "one");
  mkdirSync(inClass, { recursive: true });
  for (let i = readdirSync(inClass).length; i < count; i++) {
    const sum = new Float32Array(3 * width * height);
    for (const [octave, side] of [4, 8, 16, 32, 64, 128, 256, 512].entries()) {
      const w = side;
      const h = Math.round((side * height) / width);
      const noise = new Float32Array(3 * w * h);
      randomAt({ seed: 1, purpose: `bench ${octave}`, sample: i }).fillNormal(noise, 1);
      const bytes = Uint8Array.from(noise, (value) => Math.max(0, Math.min(255, 128 + 40 * value)));
      const large = await sharp(bytes, { raw: { width: w, height: h, channels: 3 } })
        .resize(width, height, { fit: "fill", kernel: "cubic" })
        .raw()
        .toBuffer();
      const share = 1.6 / (1 + octave) ** 1.1;
      for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + share * ((large[at] ?? 128) - 128);
    }
    const bytes = Uint8Array.from(sum, (value) => Math.max(0, Math.min(255, 120 + value)));
    await sharp(bytes, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 92, chromaSubsampling: "4:2:0" })
      .toFile(join(inClass, `${String(i).padStart(6, "0")}.jpg`));
  }
  return folder;
}

async function driver(): Promise<string> {
  const outfile = join(scratch, "data-driver.js");
  await build({
    entryPoints: [join(root, "bench/data-driver.ts")],
    ...{ outfile, bundle: true, platform: "node", format: "cjs", target: "node20", logLevel: "silent" },
    external: ["onnxruntime-node", "sharp", "koffi"],
  });
  return outfile;
}

function experimentOf(folder: string, images: number) {
  const text = JSON.stringify({
    ...{ name: "data-speed", image: { size }, encoder: { size: "tiny", patch: 16 } },
    data: { source: "folder", train: folder, images },
    optimization: { globalBatch: batch, epochs: 100 },
  });
  const loaded = specFromText({ text, file: join(scratch, "data-speed.json") });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return buildPlan({ spec: loaded.spec, specHash: loaded.hash, generatorVersion: "bench" }).experiment;
}

/** The last line of a program that ends well, on one core where that is asked for. */
function lineOf(command: readonly string[], { oneCore }: DataSetting): string {
  const [program = "", ...args] = oneCore ? ["taskset", "-c", "0", ...command] : command;
  const paths = [process.env.NODE_PATH ?? "", join(root, "node_modules")].filter((path) => path !== "");
  const env = { ...process.env, NODE_PATH: paths.join(delimiter), OMP_NUM_THREADS: "1" };
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", env });
  const line = stdout?.trim().split("\n").at(-1) ?? "";
  if (status !== 0 || !line.startsWith("{")) {
    throw new Error(`${command.slice(0, 2).join(" ")} ended with ${status ?? error}: ${stderr?.slice(-2000)}`);
  }
  return line;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      images: { type: "string", default: "512" },
      rounds: { type: "string", default: "5" },
      steps: { type: "string", default: "16" },
      note: { type: "string" },
      record: { type: "string" },
    },
  });
  const python = process.env.IJEPA_PYTHON;
  if (python === undefined || !existsSync(python)) {
    throw new Error("IJEPA_PYTHON has to name a Python with torch and torchvision: pip install torch torchvision");
  }
  const count = Number(values.images);
  const steps = Number(values.steps);
  const folder = await makeImages(count);
  const script = await driver();
  const experiment = experimentOf(folder, count);
  const names = readdirSync(join(folder, "one"));
  const bytes = names.reduce((sum, name) => sum + statSync(join(folder, "one", name)).size, 0) / names.length;
  let peer = "";
  const measure: { readonly [S in DataSide]: (setting: DataSetting) => MeasuredImages } = {
    ijepa: (setting) => {
      const request: DataDriverRequest = { experiment, root: folder, workers: setting.workers, warmup, steps };
      return JSON.parse(lineOf([process.execPath, script, JSON.stringify(request)], setting));
    },
    torchvision: (setting) => {
      const flags = { workers: setting.workers, batch, size, warmup, steps };
      const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const file = join(root, "bench/peers/torchvision_loader.py");
      const { versions, ...measured } = JSON.parse(lineOf([python, file, folder, ...given], setting));
      peer = versions;
      return measured;
    },
  };
  const settings = [
    { workers: 1, oneCore: true },
    { workers: 1, oneCore: false },
    { workers: 2, oneCore: false },
  ].map((setting) => ({
    ...setting,
    rounds: { ijepa: [], torchvision: [] } as Record<DataSide, MeasuredImages[]>,
  }));
  const load: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    load.push(loadavg()[0] ?? Number.NaN);
    for (const setting of settings) {
      for (const side of dataSides) {
        process.stderr.write(`round ${round + 1}, ${setting.workers} workers, ${side}\n`);
        setting.rounds[side].push(measure[side](setting));
      }
    }
  }
  const record: DataSpeedRecord = {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    node: process.versions.node,
    sharp: sharp.versions.sharp ?? "",
    turbojpeg: turbojpeg() === null ? null : `${turbojpegPackage} ${nativeVersions[turbojpegPackage]}`,
    peer,
    images: { count, width, height, bytes },
    size,
    rounds: Number(values.rounds),
    load,
    note: values.note ?? null,
    settings,
  };
  console.log(`${dataSpeedIntroduction(record)}\n\n${dataSpeedTable(record)}`);
  if (values.record !== undefined) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
}

await main();
