/** The store, steps that replace what is in it, and devices that are not there. */
import { afterAll, describe, expect, test } from "vitest";
import type { EngineFunction, TensorSpecs } from "../../../../runtime/engines/engine";
import { resolveExternal } from "../../../../runtime/engines/external";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine } from "../../../../runtime/engines/tfjs/engine";
import type { F32 } from "../../../../runtime/ops/ops";
import { errorOf } from "../../../support/op-check";
import { plainOps } from "../../../support/plain-ops";
import { follow, spec, specOf, step } from "../onnx/state-step";

const engine = await createEngine({ threads: 1, device: "wasm" });
const reference = await createReferenceEngine();
afterAll(() => engine.release());

/** A function of the state alone; `run` is handed its tensors by path. */
function ofState(
  name: string,
  reads: readonly string[],
  run: (ops: Parameters<EngineFunction["run"]>[0], state: Readonly<Record<string, F32<[number]>>>) => object,
): EngineFunction {
  return {
    name,
    reads,
    inputs: new Map(),
    lengths: [],
    run: (ops, state) => ({ state: run(ops, state as Readonly<Record<string, F32<[number]>>>), outputs: {} }),
  };
}

const specs: TensorSpecs = new Map([
  ["a", spec(2)],
  ["b", spec(2)],
]);

async function storeWith(a: readonly number[], b: readonly number[]) {
  const store = engine.createStore(specs);
  await store.write("a", Float32Array.from(a));
  await store.write("b", Float32Array.from(b));
  return { store, read: async () => [[...(await store.read("a"))], [...(await store.read("b"))]] };
}

test("the store gives back what was written, as a copy; what was never written is zero", async () => {
  const store = engine.createStore(specs);
  const values = Float32Array.of(1, 2);
  await store.write("a", values);
  values[0] = 9;
  const copy = await store.read("a");
  copy[1] = 9;
  expect([...(await store.read("a"))]).toEqual([1, 2]);
  expect([...(await store.read("b"))]).toEqual([0, 0]);
  await expect(store.write("b", new Float32Array(3))).rejects.toThrow("internal: b has 2 numbers");
  await expect(store.read("c")).rejects.toThrow("internal: the store has no tensor c");
});

describe("steps that change the state", () => {
  test("three steps of any length leave the numbers of the reference", async () => {
    const [found, wanted] = [await follow(engine, step, [9, 5, 12]), await follow(reference, step, [9, 5, 12])];
    wanted.forEach((result, i) => {
      for (const [path, values] of result) {
        // Weights move by about the sign of a tiny gradient in AdamW, so rounding shows more than in one op.
        expect(errorOf(found[i]?.get(path) ?? [], values), `step ${i}, ${path}`).toBeLessThan(2e-4);
      }
    });
  });

  test("runs that are not waited for come one after the other, and a copy comes after them", async () => {
    const { store } = await storeWith([1, 1], [0, 0]);
    const double = ofState("double", ["a"], (o, { a }) => ({ a: a === undefined ? a : o.add(a, a) }));
    const loaded = await engine.load(double, store);
    const runs = Array.from({ length: 5 }, () => loaded.run(new Map(), {}));
    expect([...(await store.read("a"))]).toEqual([32, 32]);
    await Promise.all(runs);
  });

  test.each([
    { name: "two change places", reads: ["a", "b"], put: { a: "b", b: "a" }, want: "[[3,4],[1,2]]" },
    { name: "one is copied to the other", reads: ["a"], put: { b: "a" }, want: "[[1,2],[1,2]]" },
    { name: "both become one", reads: ["a", "b"], put: { a: "b", b: "b" }, want: "[[3,4],[3,4]]" },
    { name: "nothing moves", reads: ["a", "b"], put: { a: "a", b: "b" }, want: "[[1,2],[3,4]]" },
  ])("$name, as often as one likes, and each keeps memory of its own", async ({ reads, put, want }) => {
    const { store, read } = await storeWith([1, 2], [3, 4]);
    const move = ofState("move", reads, (_, state) =>
      Object.fromEntries(Object.entries(put).map(([to, from]) => [to, state[from]])),
    );
    const loaded = await engine.load(move, store);
    await loaded.run(new Map(), {});
    expect(JSON.stringify(await read())).toBe(want);
    const { tensors } = engine.memory();
    for (let i = 0; i < 4; i++) await loaded.run(new Map(), {});
    expect(JSON.stringify(await read())).toBe(want);
    expect(engine.memory().tensors).toBe(tensors);
    await store.write("a", Float32Array.of(7, 7));
    expect([...(await store.read("b"))]).not.toContain(7);
  });

  test("a step that fails leaves no tensors behind, and no false numbers", async () => {
    const { store } = await storeWith([1, 2], [3, 4]);
    // Shapes are checked when it is recorded, so only lengths that do not fit can fail later.
    const fails: EngineFunction = {
      name: "fails",
      reads: ["a"],
      inputs: new Map([["x", { dtype: "f32", shape: [1, "C", 2] }]]),
      lengths: ["C", "S"],
      run: (ops, state, inputs, { S = 0 }) => {
        const o = plainOps(ops);
        const { a } = state as { a: F32<[2]> };
        const { x } = inputs as { x: F32<[1, number, 2]> };
        const placed = o.addVector(x, a);
        return { state: { a: o.sumRows(o.concatTokens(placed, x, { tokens: S })) }, outputs: {} };
      },
    };
    const loaded = await engine.load(fails, store);
    const inputs = new Map([["x", Float32Array.of(1, 2)]]);
    await loaded.run(inputs, { C: 1, S: 2 });
    expect([...(await store.read("a"))]).toEqual([3, 6]);
    const { tensors } = engine.memory();
    await expect(loaded.run(inputs, { C: 1, S: 5 })).rejects.toThrow(
      "internal: concatTokens made [1, 2, 2], not [1, 5, 2]",
    );
    expect(engine.memory().tensors).toBe(tensors - 1);
    await expect(store.read("a")).rejects.toThrow("internal: a was lost in a step that failed");
    expect([...(await store.read("b"))]).toEqual([3, 4]);
  });

  test("says which input is missing or has the wrong size", async () => {
    const loaded = await engine.load(step, engine.createStore(new Map(step.reads.map((path) => [path, specOf(path)]))));
    await expect(loaded.run(new Map(), { C: 2 })).rejects.toThrow("internal: the input x was not given");
    await expect(loaded.run(new Map([["x", new Float32Array(3)]]), { C: 2 })).rejects.toThrow(
      "internal: the input x should be f32 [2, 130], not 3 numbers",
    );
  });
});

test("a device whose package is not installed is an error with the command that installs it", async () => {
  await expect(createEngine({ threads: 1, device: "gpu" })).rejects.toThrow(
    /^The package @tensorflow\/tfjs-node-gpu is not installed: .*npm install @tensorflow\/tfjs-node-gpu@4\.22\.0/s,
  );
});

const hasNode = resolveExternal("@tensorflow/tfjs-node/package.json") !== undefined;

test.skipIf(hasNode)("the processor without tfjs-node is WebAssembly, and the description says so", async () => {
  const cpu = await createEngine({ threads: 1, device: "cpu" });
  expect(cpu.description).toBe("tfjs-core 4.22.0, wasm (SIMD, 1 thread)");
  await cpu.release();
});
