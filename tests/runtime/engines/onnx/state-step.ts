/** A step that changes a state in every way that an engine has to think of, and runs of it that tests compare. */
import type { Engine, EngineFunction, HostArray, TensorSpecs } from "../../../../runtime/engines/engine";
import type { AnyTensor } from "../../../../runtime/ops/ops";
import { normalOf, randomOf } from "../../../support/op-calls";
import { plainOps } from "../../../support/plain-ops";

export const spec = (...shape: number[]) => ({ dtype: "f32", shape }) as const;

const shapes: Readonly<Record<string, readonly [number, ...number[]]>> = {
  "large.weight": [130, 140],
  "small.weight": [140, 6],
  "small.bias": [6],
  token: [140],
  "other.bias": [7],
};
const roots = ["weights", "m", "v"] as const;

/** A step of a two-layer network whose weights are used on the way back as well, with AdamW and a moving average. */
export const step: EngineFunction = {
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
  run: (ops, state, inputs) => {
    const o = plainOps(ops);
    // Laid out by `reads`, as the engine contract says.
    type Layer = { weight: AnyTensor; bias: AnyTensor };
    type Net = { large: Layer; small: Layer; token: AnyTensor; other: { bias: AnyTensor } };
    const { weights, m, v, target } = state as { weights: Net; m: Net; v: Net; target: Net };
    const { x, rate, keep, zeros } = inputs as Record<"x" | "rate" | "keep" | "zeros", AnyTensor>;
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
    const adamw = (w: AnyTensor, g: AnyTensor, first: AnyTensor, second: AnyTensor, decay: boolean) =>
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

export const specOf = (path: string) => spec(...(shapes[path.slice(path.indexOf(".") + 1)] ?? []));

/** Runs it once for each length; gives outputs and the whole state after every run. */
export async function follow(
  on: Engine,
  fn: EngineFunction,
  lengths: readonly number[],
): Promise<Map<string, HostArray>[]> {
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
