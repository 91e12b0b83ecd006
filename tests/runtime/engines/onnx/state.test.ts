/** The store, its layout, and updates of it: together or alone, in place or not. */
import { afterAll, describe, expect, test } from "vitest";
import type { Engine, EngineFunction, HostArray, TensorSpecs } from "../../../../runtime/engines/engine";
import { mayOverwrite } from "../../../../runtime/engines/onnx/alias";
import { createEngine } from "../../../../runtime/engines/onnx/engine";
import { layoutOf } from "../../../../runtime/engines/onnx/layout";
import { record } from "../../../../runtime/engines/onnx/record";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import type { F32, Scalar, Shape } from "../../../../runtime/ops/ops";
import { normalOf, randomOf } from "../../../support/op-calls";

const engine = await createEngine({ threads: 1 });
const reference = await createReferenceEngine();
afterAll(() => engine.release());

const spec = (...shape: number[]) => ({ dtype: "f32", shape }) as const;

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

const shapes: Readonly<Record<string, readonly [number, ...number[]]>> = {
  "large.weight": [130, 140],
  "small.weight": [140, 6],
  "small.bias": [6],
  token: [140],
  "other.bias": [7],
};
const roots = ["weights", "m", "v"] as const;

/** A step of a two-layer network whose weights are used on the way back as well, with AdamW and a moving average. */
const step: EngineFunction = {
  name: "step",
  reads: [...roots, "target"].flatMap((root) =>
    Object.keys(shapes).flatMap((name) => (root === "target" && name === "other.bias" ? [] : `${root}.${name}`)),
  ),
  inputs: new Map<string, { dtype: "f32"; shape: (number | string)[] }>([
    ["x", { dtype: "f32", shape: ["C", 130] }],
    ["rate", { dtype: "f32", shape: [] }],
    ["keep", { dtype: "f32", shape: [] }],
    ["zeros", { dtype: "f32", shape: [140] }],
  ]),
  lengths: ["C"],
  run: (o, state, inputs) => {
    // Laid out by `reads`, as the engine contract says.
    type Layer = { weight: F32<[number, number]>; bias: F32<[number]> };
    type Net = { large: Layer; small: Layer; token: F32<[number]>; other: { bias: F32<[number]> } };
    const { weights, m, v, target } = state as { weights: Net; m: Net; v: Net; target: Net };
    const { x, rate, keep, zeros } = inputs as {
      x: F32<[number, number]>;
      rate: Scalar;
      keep: Scalar;
      zeros: F32<[number]>;
    };
    const hidden = o.linear(x, weights.large.weight, zeros);
    const placed = o.addVector(hidden, weights.token);
    const y = o.linear(placed, weights.small.weight, weights.small.bias);
    const dHidden = o.linearGradInput(y, weights.small.weight);
    const dX = o.linearGradInput(dHidden, weights.large.weight);
    const gradients: Net = {
      large: { weight: o.linearGradWeight(x, dHidden), bias: zeros },
      small: { weight: o.linearGradWeight(placed, y), bias: o.sumRows(y) },
      token: o.sumRows(dHidden),
      other: { bias: o.scale(weights.other.bias, { by: 0.1 }) },
    };
    const adamw = <S extends Shape>(w: F32<S>, g: F32<S>, first: F32<S>, second: F32<S>, decay: boolean) =>
      o.adamw(w, g, first, second, rate, keep, keep, { beta1: 0.9, beta2: 0.99, eps: 1e-6, decay });
    const [large, mLarge, vLarge] = adamw(
      weights.large.weight,
      gradients.large.weight,
      m.large.weight,
      v.large.weight,
      true,
    );
    const [small, mSmall, vSmall] = adamw(
      weights.small.weight,
      gradients.small.weight,
      m.small.weight,
      v.small.weight,
      true,
    );
    const [bias, mBias, vBias] = adamw(weights.small.bias, gradients.small.bias, m.small.bias, v.small.bias, false);
    const [token, mToken, vToken] = adamw(weights.token, gradients.token, m.token, v.token, true);
    const [other, mOther, vOther] = adamw(weights.other.bias, gradients.other.bias, m.other.bias, v.other.bias, false);
    const net = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown) => ({
      large: { weight: a },
      small: { weight: b, bias: c },
      token: d,
      other: { bias: e },
    });
    return {
      state: {
        // The average first, although it takes the weights that follow.
        target: {
          large: { weight: o.ema(target.large.weight, large, keep, rate) },
          small: {
            weight: o.ema(target.small.weight, small, keep, rate),
            bias: o.ema(target.small.bias, bias, keep, rate),
          },
          token: o.ema(target.token, token, keep, rate),
        },
        weights: net(large, small, bias, token, other),
        m: net(mLarge, mSmall, mBias, mToken, mOther),
        v: net(vLarge, vSmall, vBias, vToken, vOther),
      },
      outputs: { y, dX },
    };
  },
};

const specOf = (path: string) => spec(...(shapes[path.slice(path.indexOf(".") + 1)] ?? []));

async function follow(on: Engine, fn: EngineFunction, lengths: readonly number[]): Promise<Map<string, HostArray>[]> {
  const random = randomOf(11);
  const specs: TensorSpecs = new Map(fn.reads.map((path) => [path, specOf(path)]));
  const store = on.createStore(specs);
  for (const [path, { shape }] of specs) {
    const size = [...shape].map(Number).reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: size }, () => 0.1 * normalOf(random));
    await store.write(path, path.startsWith("v.") ? values.map(Math.abs) : values);
  }
  const loaded = await on.load(fn, store);
  const seen: Map<string, HostArray>[] = [];
  for (const C of lengths) {
    const inputs = new Map<string, HostArray>([
      ["x", Float32Array.from({ length: C * 130 }, () => normalOf(random))],
      ["rate", Float32Array.of(0.003)],
      ["keep", Float32Array.of(0.9)],
      ["zeros", new Float32Array(140)],
    ]);
    const result = new Map(await loaded.run(inputs, { C }));
    for (const path of fn.reads) result.set(path, await store.read(path));
    seen.push(result);
  }
  await loaded.release();
  return seen;
}

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
    const { nodes, state } = record(step, layout);
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
