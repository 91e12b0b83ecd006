/** Whole trainers: compiled for xla, bundled, run, resumed. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../../../compiler/bundle/bundle";
import { packageRoot } from "../../../../compiler/emit/package-root";
import { hasPlugin, plugin } from "../../../support/pjrt";
import { base, compiledWith } from "../../../support/variations";

const folder = mkdtempSync(join(tmpdir(), "ijepa-xla-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS = 20;
const trainers = {
  onnx: { engine: "onnx" },
  xla: { engine: "xla" },
  /** Two devices in one process. */
  xla2: { engine: "xla", gpus: 2 },
} as const;
type Name = keyof typeof trainers;

/** Two epochs of ten steps; probes and a checkpoint after each. */
const spec = (name: Name) => ({
  encoder: { dim: 16, depth: 1, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 1, heads: 2 },
  masking: { minKeep: 1, targets: { scale: [0.2, 0.3] }, context: { tokens: 3 } },
  optimization: { ...base.optimization, globalBatch: 2 },
  data: { source: "shapes", trainImages: 20, validationImages: 16, testImages: 16 },
  evaluation: { everyEpochs: 1, trainImages: 16, testImages: 16, knn: { neighbours: 3 } },
  log: { everySteps: 1 },
  hardware: { ...trainers[name], device: "cpu", threads: 1, workers: 1 },
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of the log, by step. */
  readonly losses: ReadonlyMap<number, number>;
  /** Of the newest checkpoint. */
  readonly hash: string | null;
}

interface RunOptions {
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

async function run(name: Name, runFolder: string, { flags = [], env = {} }: RunOptions = {}): Promise<Ran> {
  const directory = join(folder, runFolder);
  const args = [join(folder, name, "train.js"), "--run-dir", directory, "--no-progress", ...flags];
  const child = spawn(process.execPath, args, {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, IJEPA_XLA_CACHE: join(folder, "cache"), IJEPA_PJRT_PLUGIN: plugin.path, ...env },
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (chunk: Buffer) => {
      text[stream] += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((done) => child.on("close", done));
  if (code !== 0) return { code, ...text, losses: new Map(), hash: null };
  const losses = readFileSync(join(directory, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .flatMap((line): [number, number][] => {
      const { event, step, loss }: { event?: string; step?: number; loss?: number } = JSON.parse(line);
      return event === "step" && step !== undefined && loss !== undefined ? [[step, loss]] : [];
    });
  const checkpoint = readFileSync(
    join(directory, readdirSync(directory).find((file) => file.endsWith("-latest.safetensors")) ?? "none"),
  );
  return { code, ...text, losses: new Map(losses), hash: createHash("sha256").update(checkpoint).digest("hex") };
}

describe.skipIf(!hasPlugin)("a trainer", () => {
  beforeAll(async () => {
    // The keys of a total table are its names.
    for (const name of Object.keys(trainers) as Name[]) {
      const { files } = compiledWith(spec(name));
      mkdirSync(join(folder, name));
      const text = await bundle({ files, banner: "" });
      writeFileSync(join(folder, name, "train.js"), text);
    }
  });

  test("has the losses of the default engine, ends in the same bits again, and when it stops and goes on", {
    timeout: 300_000,
  }, async () => {
    const onnx = await run("onnx", "onnx");
    expect(onnx).toMatchObject({ code: 0, stderr: "" });
    const whole = await run("xla", "whole");
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    expect(whole.losses.size).toBe(STEPS);
    for (const [step, loss] of onnx.losses) expect(whole.losses.get(step)).toBeCloseTo(loss, 4);
    expect(whole.stdout).toMatch(/compiling step/);

    const again = await run("xla", "again");
    expect(again.stdout).not.toMatch(/compiling/);
    expect(again.hash).toBe(whole.hash);

    expect(await run("xla", "parts", { flags: ["--steps", "7"] })).toMatchObject({ code: 0, stderr: "" });
    const rest = await run("xla", "parts", { flags: ["--resume"] });
    expect(rest).toMatchObject({ code: 0, stderr: "" });
    expect(rest.hash).toBe(whole.hash);
  });

  test("on two devices of one process is that on one, ends in the same bits again, and each goes on from the other", {
    timeout: 300_000,
  }, async () => {
    const one = await run("xla", "one device");
    const two = await run("xla2", "two devices");
    expect(two).toMatchObject({ code: 0, stderr: "" });
    expect(two.stdout).toMatch(/, 2 devices/);
    expect(two.losses.size).toBe(STEPS);
    for (const [step, loss] of one.losses) expect(two.losses.get(step)).toBeCloseTo(loss, 3);
    expect(two.losses.get(1)).toBeCloseTo(one.losses.get(1) ?? Number.NaN, 6);
    expect((await run("xla2", "two again")).hash).toBe(two.hash);

    expect(await run("xla2", "changed", { flags: ["--steps", "7"] })).toMatchObject({ code: 0, stderr: "" });
    const rest = await run("xla", "changed", { flags: ["--resume"] });
    expect(rest.stdout).toContain("hardware.gpus: 2 in the checkpoint, 1 here");
    for (const [step, loss] of two.losses) expect(rest.losses.get(step)).toBeCloseTo(loss, 3);
  });

  test("says where a plugin was looked for", async () => {
    const none = { IJEPA_PJRT_PLUGIN: "", XDG_CACHE_HOME: join(folder, "none"), PATH: "", HOME: folder };
    const { code, stderr } = await run("xla", "none", { env: none });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^R105: There is no PJRT plugin for the device "cpu".*pjrt-cpu\.mjs/s);
    const flags = ["--pjrt-plugin", "no/such.so"];
    expect((await run("xla", "named", { flags })).stderr).toMatch(/^R105: .*no\/such\.so, which --pjrt-plugin names/);
  });
});
