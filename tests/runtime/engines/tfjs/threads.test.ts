/** Two threads in WebAssembly: a process of its own, since a process has one wasm backend. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const engine = new URL("../../../../runtime/engines/tfjs/engine.ts", import.meta.url).href;
const reference = new URL("../../../../runtime/engines/reference/engine.ts", import.meta.url).href;
const calls = new URL("../../../support/op-calls.ts", import.meta.url).href;

/** Products that are large enough to be shared out; ends by itself, though threads are there. */
const script = `
import { createEngine } from "${engine}";
import { createReferenceEngine } from "${reference}";
import { normalOf, randomOf } from "${calls}";
import os from "node:os";
const state = () => [globalThis.Worker, os.cpus().length, process.listenerCount("uncaughtException"), process.listenerCount("unhandledRejection")];
os.availableParallelism = () => Number(process.env.CORES);
const before = state();
const tfjs = await createEngine({ threads: 2, device: "wasm" });
const fn = {
  name: "product", reads: [], lengths: [],
  inputs: new Map([["x", { dtype: "f32", shape: [1, 100, 60] }], ["w", { dtype: "f32", shape: [60, 90] }], ["b", { dtype: "f32", shape: [90] }]]),
  run: (o, _, { x, w, b }) => ({ state: {}, outputs: { y: o.linear(x, w, b) } }),
};
const random = randomOf(5);
const inputs = new Map([...fn.inputs].map(([path, { shape }]) => [path, Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => normalOf(random))]));
const run = async (on) => (await (await on.load(fn, on.createStore(new Map()))).run(inputs, {})).get("y");
const [found, wanted] = [await run(tfjs), await run(await createReferenceEngine())];
const error = found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
console.log(JSON.stringify({ description: tfjs.description, error, restored: state().every((value, i) => value === before[i]) }));
await tfjs.release();
`;

function run(cores: number): { readonly description: string; readonly error: number; readonly restored: boolean } {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
      timeout: 60_000,
      cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
      env: { ...process.env, CORES: String(cores) },
    },
  );
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return JSON.parse(stdout);
}

test("products on two threads are right, the process ends, and nothing of Node stays changed", () => {
  const { description, error, restored } = run(3);
  expect(description).toBe("tfjs-core 4.22.0, wasm (SIMD, 2 threads)");
  expect(error).toBeLessThan(2e-5);
  expect(restored).toBe(true);
});

test("one core stays free", () => {
  expect(run(2)).toMatchObject({ description: "tfjs-core 4.22.0, wasm (SIMD, 1 thread)", restored: true });
});
