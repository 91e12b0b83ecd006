/**
 * A run must not depend on which thread of the process it came to. Numbers below 1.2e-38 are where it once did: they were
 * flushed to zero on some threads and not on others, so about one of three equal runs ended in another last bit of a
 * moment of AdamW.
 */
import { afterAll, expect, test } from "vitest";
import type { EngineFunction } from "../../../../runtime/engines/engine";
import { createEngine } from "../../../../runtime/engines/onnx/engine";
import type { F32 } from "../../../../runtime/ops/ops";

const count = 40_000;
const tenth: EngineFunction = {
  name: "tenth",
  reads: [],
  inputs: new Map([["x", { dtype: "f32", shape: [count] }]]),
  lengths: [],
  run: (ops, _state, inputs) => {
    // The engine lays the tree out by the paths above.
    const { x } = inputs as { readonly x: F32<[number]> };
    return { state: {}, outputs: { y: ops.scale(x, { by: 0.1 }) } };
  },
};

const engines = {
  c: await createEngine({ threads: 2, runtime: "c" }),
  binding: await createEngine({ threads: 2, runtime: "binding" }),
};
afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

test.each(Object.entries(engines))(
  "%s: denormal numbers are kept, on every thread that runs",
  async (_name, engine) => {
    const wanted = Math.fround(Math.fround(1e-38) * Math.fround(0.1));
    const functions = await Promise.all([1, 2, 3, 4].map(() => engine.load(tenth, engine.createStore(new Map()))));
    const inputs = new Map([["x", new Float32Array(count).fill(1e-38)]]);
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(functions.map((fn) => fn.run(inputs, {})));
      for (const result of results) expect(new Set(result.get("y"))).toEqual(new Set([wanted]));
    }
  },
);
