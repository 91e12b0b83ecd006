/** Inputs in whatever memory a caller has them. */
import { afterAll, describe, expect, test } from "vitest";
import type { EngineFunction } from "../../../../runtime/engines/engine";
import { createEngine } from "../../../../runtime/engines/onnx/engine";
import type { F32 } from "../../../../runtime/ops/ops";

const engines = {
  c: await createEngine({ threads: 1, runtime: "c" }),
  binding: await createEngine({ threads: 1, runtime: "binding" }),
};
afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

const double: EngineFunction = {
  name: "double",
  reads: [],
  inputs: new Map([["x", { dtype: "f32", shape: ["C"] }]]),
  lengths: ["C"],
  run: (o, _, inputs) => ({ state: {}, outputs: { y: o.scale((inputs as { x: F32<[number]> }).x, { by: 2 }) } }),
};

const numbers = Array.from({ length: 100 }, (_, i) => i);
const doubled = numbers.map((value) => 2 * value);

describe.each(["c", "binding"] as const)("%s", (runtime) => {
  test.each([
    ["memory of its own", () => Float32Array.from(numbers)],
    ["a part of larger memory", () => Float32Array.from([7, 7, 7, ...numbers, 7]).subarray(3, 103)],
    [
      "memory that threads share",
      () => {
        const shared = new Float32Array(new SharedArrayBuffer(400));
        shared.set(numbers);
        return shared;
      },
    ],
  ])("reads %s", async (_, make) => {
    const engine = engines[runtime];
    const loaded = await engine.load(double, engine.createStore(new Map()));
    const result = await loaded.run(new Map([["x", make()]]), { C: 100 });
    expect([...(result.get("y") ?? [])]).toEqual(doubled);
    // Few numbers lie on the heap of V8 and could move.
    const short = await loaded.run(new Map([["x", Float32Array.of(1, 2)]]), { C: 2 });
    expect([...(short.get("y") ?? [])]).toEqual([2, 4]);
    expect([...(result.get("y") ?? [])]).toEqual(doubled);
  });

  test("says which input is missing or has the wrong size", async () => {
    const engine = engines[runtime];
    const loaded = await engine.load(double, engine.createStore(new Map()));
    await expect(loaded.run(new Map(), { C: 2 })).rejects.toThrow("internal: the input x was not given");
    await expect(loaded.run(new Map([["x", new Float32Array(3)]]), { C: 2 })).rejects.toThrow(
      "internal: the input x should be f32 [2], not 3 numbers",
    );
  });
});
