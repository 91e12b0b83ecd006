/** A whole trainer on WebGPU: compiled, bundled, run beside the same on the CPU, stopped and resumed. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bundle } from "../../../../compiler/bundle/bundle";
import { packageRoot } from "../../../../compiler/emit/package-root";
import { readSafetensors } from "../../../../runtime/checkpoint/safetensors";
import { errorOf } from "../../../support/op-check";
import { base, compiledWith } from "../../../support/variations";
import { webgpuEnvironment, webgpuForTests } from "../../../support/webgpu";

const engine = await webgpuForTests();
await engine?.release();

const folder = mkdtempSync(join(tmpdir(), "ijepa-webgpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two epochs of ten steps; probes and a checkpoint after each. */
const specFor = (device: "cpu" | "webgpu") => ({
  encoder: { dim: 16, depth: 1, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 1, heads: 2 },
  optimization: { ...base.optimization, globalBatch: 2 },
  data: { source: "shapes", trainImages: 20, validationImages: 16, testImages: 16 },
  evaluation: { everyEpochs: 1, trainImages: 16, testImages: 16, knn: { neighbours: 3 } },
  log: { everySteps: 1 },
  hardware: { engine: "onnx", device, threads: 1, workers: 1 },
});

async function build(device: "cpu" | "webgpu"): Promise<void> {
  const { files } = compiledWith(specFor(device));
  mkdirSync(join(folder, device));
  const text = await bundle({ files, banner: "" });
  writeFileSync(join(folder, device, "train.js"), text);
}

type Event = Readonly<Record<string, unknown>>;

function run(device: "cpu" | "webgpu", ...flags: string[]): { readonly stdout: string; readonly events: Event[] } {
  const runFolder = join(folder, device, "run");
  const args = [join(folder, device, "train.js"), "--run-dir", runFolder, ...flags];
  const ended = spawnSync(process.execPath, args, { cwd: packageRoot(), encoding: "utf8", env: webgpuEnvironment() });
  expect(ended.status, ended.stderr).toBe(0);
  const lines = readFileSync(join(runFolder, "log.jsonl"), "utf8").trim().split("\n");
  return { stdout: ended.stdout, events: lines.map((line): Event => JSON.parse(line)) };
}

async function checkpointOf(device: string): Promise<ReadonlyMap<string, ArrayLike<number>>> {
  const name = readdirSync(join(folder, device, "run")).find((file) => file.endsWith("-latest.safetensors"));
  const { tensors } = await readSafetensors(join(folder, device, "run", name ?? ""));
  return new Map(
    [...tensors].flatMap(([path, { values }]) => (values instanceof Float32Array ? [[path, values] as const] : [])),
  );
}

const lossesOf = (events: readonly Event[]): number[] =>
  events.flatMap(({ event, loss }) => (event === "step" ? [Number(loss)] : []));

describe.skipIf(engine === null)("a trainer on WebGPU", () => {
  test("has the losses, weights and probes of the CPU, in one go or resumed", { timeout: 300_000 }, async () => {
    await build("cpu");
    await build("webgpu");
    const wanted = run("cpu");
    const part = run("webgpu", "--steps", "7");
    expect(part.stdout).toMatch(/step: \d+ of \d+ nodes on the device, \d+ computations of shapes on the CPU/);
    expect(part.events.find(({ event }) => event === "engine")).toMatchObject({
      step: 0,
      note: expect.stringMatching(/^step: /),
    });
    const found = run("webgpu", "--resume");
    const losses = lossesOf(found.events);
    expect(losses.length).toBe(20);
    for (const [i, loss] of lossesOf(wanted.events).entries()) {
      expect(Math.abs((losses[i] ?? Number.NaN) - loss), `step ${i + 1}`).toBeLessThan(2e-6);
    }
    // Probes are fitted to 16 images, so a single image that tips over is much: they are there, and finite.
    const kinds = ({ events }: { events: readonly Event[] }) => events.map(({ event }) => event);
    expect(kinds(found).filter((kind) => kind === "evaluation").length).toBe(
      kinds(wanted).filter((kind) => kind === "evaluation").length,
    );
    const [a, b] = await Promise.all((["cpu", "webgpu"] as const).map(checkpointOf));
    expect(b?.size).toBe(a?.size);
    for (const [name, values] of a ?? []) {
      // Twenty steps of AdamW with a rate up to 1e-3: a weight whose gradient is rounding only may go either way.
      expect(errorOf(b?.get(name) ?? [], values), name).toBeLessThan(5e-3);
    }
  });
});
