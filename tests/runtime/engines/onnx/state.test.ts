/** The store, its layout, and updates of it: together or alone, in place or not. */
import { afterAll, describe, expect, test } from "vitest";
import type { EngineFunction, TensorSpecs } from "../../../../runtime/engines/engine";
import { mayOverwrite } from "../../../../runtime/engines/onnx/alias";
import { createEngine } from "../../../../runtime/engines/onnx/engine";
import { layoutOf } from "../../../../runtime/engines/onnx/layout";
import { recordOne } from "../../../../runtime/engines/onnx/record";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import type { F32 } from "../../../../runtime/ops/ops";
import { follow, spec, specOf, step } from "./state-step";

const engine = await createEngine({ threads: 1 });
const reference = await createReferenceEngine();
afterAll(() => engine.release());

test("small tensors of one root lie side by side, vectors and matrices apart, large ones alone", () => {
  const specs: TensorSpecs = new Map([
    ["weights.a.bias", spec(3)],
    ["weights.a.weight", spec(3, 4)],
    ["weights.b.bias", spec(5)],
    ["weights.b.weight", spec(10, 10)],
    ["m.a.bias", spec(3)],
  ]);
  const { segments, find } = layoutOf(specs, 50);
  expect(segments.map(({ pieces }) => pieces.map(({ path, offset }) => `${path}@${offset}`))).toEqual([
    ["weights.a.bias@0", "weights.b.bias@3"],
    ["weights.a.weight@0"],
    ["weights.b.weight@0"],
    ["m.a.bias@0"],
  ]);
  expect(find("weights.b.bias").piece).toMatchObject({ offset: 3, size: 5 });
  expect(() => find("weights.c")).toThrow("internal: the store has no tensor weights.c");
});

test("the store gives back what was written, as a copy", async () => {
  const store = engine.createStore(
    new Map([
      ["weights.x", spec(3)],
      ["weights.y", spec(2)],
    ]),
  );
  await store.write("weights.x", Float32Array.of(1, 2, 3));
  await store.write("weights.y", Float32Array.of(4, 5));
  const copy = await store.read("weights.x");
  copy[0] = 9;
  expect([...(await store.read("weights.x"))]).toEqual([1, 2, 3]);
  expect([...(await store.read("weights.y"))]).toEqual([4, 5]);
  await expect(store.write("weights.y", new Float32Array(3))).rejects.toThrow("internal: weights.y has 2 numbers");
});

describe("steps that change the state", () => {
  test("three steps of any length leave the numbers of the reference", async () => {
    const [found, wanted] = [await follow(engine, step, [9, 5, 12]), await follow(reference, step, [9, 5, 12])];
    wanted.forEach((result, i) => {
      for (const [path, values] of result) {
        const most = [...values].reduce((a, b) => Math.max(a, Math.abs(b)), 1e-3);
        const got = [...(found[i]?.get(path) ?? [])];
        expect(got.length, path).toBe(values.length);
        // Weights move by about the sign of a tiny gradient in AdamW, so rounding shows more than in one op.
        const error = got.reduce((worst, value, k) => Math.max(worst, Math.abs(value - (values[k] ?? 0))), 0) / most;
        expect(error, `step ${i}, ${path}`).toBeLessThan(2e-4);
      }
    });
  });

  test("runs that are not waited for come one after the other, and a copy comes after them", async () => {
    const count: EngineFunction = {
      name: "count",
      reads: ["a.x"],
      inputs: new Map(),
      lengths: [],
      run: (o, state) => {
        const { a } = state as { a: { x: F32<[1]> } };
        return { state: { a: { x: o.add(a.x, a.x) } }, outputs: {} };
      },
    };
    const store = engine.createStore(new Map([["a.x", spec(1)]]));
    await store.write("a.x", Float32Array.of(1));
    const loaded = await engine.load(count, store);
    const runs = Array.from({ length: 5 }, () => loaded.run(new Map(), {}));
    const copy = store.read("a.x");
    const released = loaded.release();
    expect([...(await copy)]).toEqual([32]);
    await Promise.all([...runs, released]);
  });

  test("every tensor of an ordinary step is written in place", () => {
    const layout = layoutOf(new Map(step.reads.map((path) => [path, specOf(path)])));
    const { nodes, state } = recordOne(step, layout);
    const elsewhere = state.filter(
      ({ input, output }) => input !== null && output !== null && !mayOverwrite(nodes, input.value, output.value),
    );
    expect(elsewhere.map(({ segment }) => segment.name)).toEqual([]);
    expect(state.map(({ segment }) => segment.pieces.length).sort()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 3, 3]);
  });

  test("what reads a tensor that is replaced sees the old numbers", async () => {
    // a and b change places: neither can be written over before the other has been read.
    const swap: EngineFunction = {
      name: "swap",
      reads: ["a.x", "b.x"],
      inputs: new Map(),
      lengths: [],
      run: (_, state) => {
        const { a, b } = state as Record<string, unknown>;
        return { state: { a: b, b: a }, outputs: {} };
      },
    };
    const store = engine.createStore(
      new Map([
        ["a.x", spec(2)],
        ["b.x", spec(2)],
      ]),
    );
    await store.write("a.x", Float32Array.of(1, 2));
    await store.write("b.x", Float32Array.of(3, 4));
    const loaded = await engine.load(swap, store);
    await loaded.run(new Map(), {});
    expect([[...(await store.read("a.x"))], [...(await store.read("b.x"))]]).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });
});
