/** The store, steps that replace what is in it, the programs on disk, and memory over many steps. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineFunction, HostArray, TensorSpecs } from "../../../../runtime/engines/engine";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine, type XlaEngine } from "../../../../runtime/engines/xla/engine";
import type { F32 } from "../../../../runtime/ops/ops";
import { errorOf } from "../../../support/op-check";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { plainOps } from "../../../support/plain-ops";
import { follow, spec, specOf, step } from "../onnx/state-step";

const cache = useOwnCache();
afterAll(cache.remove);

type State = Readonly<Record<string, F32<[number]>>>;

/** A function of the state alone; `run` is handed its tensors by path. */
function ofState(
  name: string,
  reads: readonly string[],
  run: (ops: Parameters<EngineFunction["run"]>[0], state: State) => object,
): EngineFunction {
  return {
    name,
    reads,
    inputs: new Map(),
    lengths: [],
    run: (ops, state) => ({ state: run(ops, state as State), outputs: {} }),
  };
}

const specs: TensorSpecs = new Map([
  ["a", spec(2)],
  ["b", spec(2)],
]);

/** The sum of C numbers, added to a. */
const addSum: EngineFunction = {
  name: "addSum",
  reads: ["a"],
  inputs: new Map([["x", { dtype: "f32", shape: ["C", 2] }]]),
  lengths: ["C"],
  programs: [
    { lengths: { C: 2 }, probability: 0.2 },
    { lengths: { C: 3 }, probability: 0.5 },
    { lengths: { C: 4 }, probability: 0.3 },
  ],
  run: (ops, state, inputs) => {
    const o = plainOps(ops);
    const { a } = state as { a: F32<[2]> };
    const { x } = inputs as { x: F32<[number, 2]> };
    const sum = o.add(a, o.sumRows(x));
    return { state: { a: sum }, outputs: { sum } };
  },
};

describe.skipIf(!hasPlugin)("on the processor", () => {
  let engine: XlaEngine;
  const heard: string[] = [];
  const open = (): Promise<XlaEngine> =>
    createEngine({
      threads: 1,
      device: "cpu",
      pjrtPlugin: plugin.path,
      progress: (line) => heard.push(line),
    });
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.release());

  async function storeWith(a: readonly number[], b: readonly number[] = [0, 0]) {
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

  test("three steps of any length leave the numbers of the reference", async () => {
    const reference = await createReferenceEngine();
    const [found, wanted] = [await follow(engine, step, [9, 5, 12]), await follow(reference, step, [9, 5, 12])];
    wanted.forEach((result, i) => {
      for (const [path, values] of result) {
        // Weights move by about the sign of a tiny gradient in AdamW, so rounding shows more than in one op.
        expect(errorOf(found[i]?.get(path) ?? [], values), `step ${i}, ${path}`).toBeLessThan(2e-4);
      }
    });
  });

  test("runs that are not waited for come one after the other, and a copy comes after them", async () => {
    const { store } = await storeWith([1, 1]);
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
    for (let i = 0; i < 4; i++) await loaded.run(new Map(), {});
    expect(JSON.stringify(await read())).toBe(want);
    await store.write("a", Float32Array.of(7, 7));
    expect([...(await store.read("b"))]).not.toContain(7);
  });

  test("says which input is missing or has the wrong size", async () => {
    const loaded = await engine.load(step, engine.createStore(new Map(step.reads.map((path) => [path, specOf(path)]))));
    await expect(loaded.run(new Map(), { C: 2 })).rejects.toThrow("internal: the input x was not given");
    await expect(loaded.run(new Map([["x", new Float32Array(3)]]), { C: 2 })).rejects.toThrow(
      "internal: the input x should be f32 [2, 130], not 3 numbers",
    );
    await loaded.release();
  });

  test("an input that never changes is copied once; where another array comes, that one counts", async () => {
    const constant: EngineFunction = {
      ...addSum,
      lengths: [],
      programs: [],
      inputs: new Map([["x", { dtype: "f32", shape: [1, 2], constant: true }]]),
    };
    const { store } = await storeWith([0, 0]);
    const loaded = await engine.load(constant, store);
    const x = Float32Array.of(1, 2);
    await loaded.run(new Map([["x", x]]), {});
    // Against the contract, and so unseen.
    x[0] = 5;
    await loaded.run(new Map([["x", x]]), {});
    await loaded.run(new Map([["x", Float32Array.of(10, 20)]]), {});
    expect([...(await store.read("a"))]).toEqual([12, 24]);
    await loaded.release();
  });

  test("the likeliest program is made before the first step, the others meanwhile, each once, and none twice", async () => {
    heard.length = 0;
    const { store } = await storeWith([0, 0]);
    const loaded = await engine.load(addSum, store);
    expect(heard[0]).toBe("compiling addSum, program 1 of 3 …");
    const run = (C: number): Promise<ReadonlyMap<string, HostArray>> =>
      loaded.run(new Map([["x", new Float32Array(2 * C).fill(1)]]), { C });
    expect([...((await run(4)).get("sum") ?? [])]).toEqual([4, 4]);
    expect([...((await run(2)).get("sum") ?? [])]).toEqual([6, 6]);
    await loaded.release();
    expect(heard.toSorted()).toEqual([1, 2, 3].map((i) => `compiling addSum, program ${i} of 3 …`));

    // Another process would find them on disk.
    heard.length = 0;
    const again = await open();
    const other = again.createStore(specs);
    const fromDisk = await again.load(addSum, other);
    const x = new Map([["x", Float32Array.of(1, 2, 3, 4, 5, 6)]]);
    expect([...((await fromDisk.run(x, { C: 3 })).get("sum") ?? [])]).toEqual([9, 12]);
    await again.release();
    expect(heard).toEqual([]);

    // Damaged files are made anew.
    for (const name of readdirSync(cache.folder)) {
      const file = join(cache.folder, name);
      writeFileSync(file, readFileSync(file).subarray(0, 100));
    }
    const third = await open();
    const mended = await third.load(addSum, third.createStore(specs));
    expect([...((await mended.run(x, { C: 3 })).get("sum") ?? [])]).toEqual([9, 12]);
    await third.release();
    expect(heard.slice(0, 2)).toEqual([
      "The file in the cache with a program of addSum was damaged; it is made anew.",
      "compiling addSum, program 1 of 3 …",
    ]);
  });

  test("a thousand steps hold no buffer of each", async () => {
    const size = 1 << 18;
    const wide: EngineFunction = {
      name: "wide",
      reads: ["a", "b"],
      inputs: new Map([["x", { dtype: "f32", shape: [size] }]]),
      lengths: [],
      run: (o, state, inputs) => {
        const { a, b } = state as Record<"a" | "b", F32<[number]>>;
        const { x } = inputs as { x: F32<[number]> };
        return { state: { a: o.add(a, x), b: o.add(b, a) }, outputs: { sum: o.globalNorm([a, b]) } };
      },
    };
    const store = engine.createStore(new Map(["a", "b"].map((path) => [path, spec(size)])));
    const loaded = await engine.load(wide, store);
    const inputs = new Map([["x", new Float32Array(size).fill(1e-3)]]);
    const afterHundred = async (): Promise<number> => {
      for (let i = 0; i < 100; i++) await loaded.run(inputs, {});
      return process.memoryUsage.rss() / 2 ** 20;
    };
    const held: number[] = [];
    for (let i = 0; i < 10; i++) held.push(await afterHundred());
    // One buffer of a step that stayed would be 1 MiB a step, 900 in all. Pools of malloc grow in leaps, and a system that
    // takes pages from whoever does not use them gives them back as they are read: half of a leak is allowed.
    const [first = 0] = held;
    expect((held.at(-1) ?? 0) - first, held.map(Math.round).join(", ")).toBeLessThan(450);
  });
});
