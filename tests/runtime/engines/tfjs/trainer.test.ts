/** Whole trainers: compiled for a device of tfjs, bundled, run, resumed. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../../../compiler/bundle/bundle";
import { packageRoot } from "../../../../compiler/emit/package-root";
import { base, compiledWith } from "../../../support/variations";

const folder = mkdtempSync(join(tmpdir(), "ijepa-tfjs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS = 20;
const devices = { onnx: "cpu", wasm: "wasm", js: "js" } as const;
type Name = keyof typeof devices;

/** Two epochs of ten steps; probes and a checkpoint after each. */
const spec = (name: Name) => ({
  encoder: { dim: 16, depth: 1, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 1, heads: 2 },
  optimization: { ...base.optimization, globalBatch: 2 },
  data: { source: "shapes", trainImages: 20, validationImages: 16, testImages: 16 },
  evaluation: { everyEpochs: 1, trainImages: 16, testImages: 16, knn: { neighbours: 3 } },
  log: { everySteps: 1 },
  hardware: { engine: name === "onnx" ? "onnx" : "tfjs", device: devices[name], threads: 1, workers: 1 },
});

const texts = new Map<Name, string>();

async function build(name: Name): Promise<void> {
  const { files } = compiledWith(spec(name));
  const text = await bundle({ files, banner: "" });
  texts.set(name, text);
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "train.js"), text);
}

interface Ran {
  readonly code: number | null;
  readonly stderr: string;
  /** Of the log, by step. */
  readonly losses: ReadonlyMap<number, number>;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

async function run(name: Name, runFolder: string, ...flags: string[]): Promise<Ran> {
  const script = join(folder, name, "train.js");
  const args = [script, "--run-dir", join(folder, runFolder), "--quiet", ...flags];
  const child = spawn(process.execPath, args, { cwd: packageRoot(), stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  const lines =
    code === 0
      ? readFileSync(join(folder, runFolder, "log.jsonl"), "utf8")
          .trim()
          .split("\n")
      : [];
  const events = lines.map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
  const losses = new Map(
    events.flatMap(({ event, step, loss }): [number, number][] =>
      event === "step" && typeof step === "number" && typeof loss === "number" ? [[step, loss]] : [],
    ),
  );
  return { code, stderr, losses, events };
}

beforeAll(async () => {
  for (const name of ["onnx", "wasm", "js"] as const) await build(name);
});

test("a bundle has the engine that its spec names, and nothing of the other", () => {
  // esbuild writes the path of each file above its text.
  const filesOf = (name: Name) => [...(texts.get(name) ?? "").matchAll(/^\s*\/\/ runtime\/engines\/(\w+)\//gm)];
  const engines = (name: Name) => [...new Set(filesOf(name).map(([, engine]) => engine))];
  expect(engines("onnx")).toEqual(["onnx"]);
  expect(engines("wasm")).toEqual(["tfjs"]);
  expect(engines("js")).toEqual(["tfjs"]);
});

describe("twenty steps", () => {
  test("have the losses of the default engine, and so have a run that stops and goes on", async () => {
    const onnx = await run("onnx", "a");
    expect(onnx).toMatchObject({ code: 0, stderr: "" });
    expect(onnx.losses.size).toBe(STEPS);
    for (const name of ["wasm", "js"] as const) {
      const whole = await run(name, `${name} whole`);
      expect(whole).toMatchObject({ code: 0, stderr: "" });
      for (const [step, loss] of onnx.losses) expect(whole.losses.get(step)).toBeCloseTo(loss, 4);
      expect(whole.events.map(({ event }) => event)).toEqual(onnx.events.map(({ event }) => event));
    }
    const part = await run("wasm", "parts", "--steps", "7");
    expect(part).toMatchObject({ code: 0, stderr: "" });
    const rest = await run("wasm", "parts", "--resume");
    expect(rest).toMatchObject({ code: 0, stderr: "" });
    for (const [step, loss] of onnx.losses) expect(rest.losses.get(step)).toBeCloseTo(loss, 4);
  });
});
