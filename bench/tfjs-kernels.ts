/**
 * Times kernels of tfjs on the form in which the engine calls them, beside the form that it avoids: what docs/engines.md
 * says of them.
 *
 *   npx tsx bench/tfjs-kernels.ts [--device wasm|js] [--threads N] [--seconds S]
 *
 * Prints the least time of each, since others may use the machine.
 */
import { parseArgs } from "node:util";
import type { DeviceName } from "../runtime/engines/engine";
import type { Tensor } from "../runtime/engines/tfjs/core";
import { openDevice } from "../runtime/engines/tfjs/devices";
import { Kernels } from "../runtime/engines/tfjs/kernels";
import { ADAMW, GATHER_ROWS } from "../runtime/engines/tfjs/own-kernels";
import { product, productOfStacks, sumFirst } from "../runtime/engines/tfjs/product";

const { values: flags } = parseArgs({
  options: {
    device: { type: "string", default: "wasm" },
    threads: { type: "string", default: "1" },
    seconds: { type: "string", default: "1" },
  },
});

const threads = Number(flags.threads);
const { core, backend, description } = await openDevice(flags.device as DeviceName, { native: threads, wasm: threads });
const k = new Kernels(core, backend);
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const numbers = (...shape: number[]): Tensor =>
  k.upload(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 2654435761) % 1000) / 500 - 1),
    shape,
    "f32",
  );

function time(name: string, work: () => Tensor | readonly Tensor[], flops?: number): void {
  let best = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  while (performance.now() - begun < 1000 * Number(flags.seconds)) {
    const before = performance.now();
    const made = k.apply(work);
    best = Math.min(best, performance.now() - before);
    for (const tensor of made) tensor.dispose();
  }
  const rate = flops === undefined ? "" : `${(flops / best / 1e6).toFixed(1)} GFLOP/s`;
  console.log(`${name.padEnd(52)} ${best.toFixed(3).padStart(9)} ms  ${rate}`);
}

console.log(`tfjs-core ${core.version_core}, ${description}`);
const rows = 1024;
const x = numbers(rows, 96);
const weight = numbers(96, 384);
const gradient = numbers(rows, 384);
const flops = 2 * rows * 96 * 384;
const stack = (tensor: Tensor): Tensor => k.reshape(tensor, [1, ...tensor.shape]);
const raw = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor =>
  k.run("BatchMatMul", { a: stack(a), b: stack(b) }, { transposeA, transposeB });
time("x · w, [1024, 96] · [96, 384]", () => product(k, x, weight), flops);
time("g · wᵀ, as the engine does it", () => product(k, gradient, weight, { b: true }), flops);
time("g · wᵀ, by the flag of the backend", () => raw(gradient, weight, false, true), flops);
time("xᵀ · g, as the engine does it", () => product(k, x, gradient, { a: true }), flops);
time("xᵀ · g, by the flag of the backend", () => raw(x, gradient, true, false), flops);
const queries = numbers(48, 64, 32);
const keys = numbers(48, 64, 32);
const stackFlops = 2 * 48 * 64 * 64 * 32;
time("q · kᵀ, 48 × [64, 32] · [32, 64], the engine", () => productOfStacks(k, queries, keys, { b: true }), stackFlops);
const flag = { transposeA: false, transposeB: true };
time("the same, by the backend", () => k.run("BatchMatMul", { a: queries, b: keys }, flag), stackFlops);
time("sum of 1024 rows of 384, the engine", () => sumFirst(k, gradient));
time("the same, by the backend", () => k.run("Sum", { x: gradient }, { axis: [0], keepDims: false }));
const index = k.upload(
  Int32Array.from({ length: 900 }, (_, i) => (i * 37) % rows),
  [900],
  "i32",
);
const axis = k.upload(Int32Array.of(0), [], "i32");
time("900 of 1024 rows of 384, the engine", () => k.run(GATHER_ROWS, { table: gradient, index, axis }));
time("the same, by the backend", () => k.run("GatherV2", { x: gradient, indices: index }, { axis: 0, batchDims: 0 }));
for (const size of [384, 16_384, 147_456]) {
  const [w, g, m] = [numbers(size), numbers(size), numbers(size)];
  const v = k.upload(new Float32Array(size).fill(1), [size], "f32");
  const scalars = { stepSize: k.scalar(1e-3), secondMoment: k.scalar(1), decayFactor: k.scalar(0.999) };
  const betas = { beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: true };
  time(`AdamW of ${size} in one kernel`, () => k.runMany(ADAMW, { weight: w, gradient: g, m, v, ...scalars }, betas));
  time(`AdamW of ${size} in fourteen`, () => {
    const nextM = k.shared(2, k.add(k.mul(m, 0.9), k.mul(g, 0.1)));
    const nextV = k.shared(2, k.add(k.mul(v, 0.999), k.mul(k.unary("Square", g), 0.001)));
    const deviation = k.add(k.mul(k.unary("Sqrt", nextV), scalars.secondMoment), 1e-8);
    const change = k.mul(k.div(nextM, deviation), scalars.stepSize);
    return [k.sub(k.mul(w, scalars.decayFactor), change), nextM, nextV];
  });
}
process.exit(0);
