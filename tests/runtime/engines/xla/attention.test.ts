/**
 * What the programs of cards have and those of processors have not: products that hand on bfloat16, and attention by a kernel.
 * No card is here to run cuDNN's, so what finds it among the ops is tested with a kernel that every plugin can compile
 * (support/xla/spelled-attention.ts). What cuDNN's is told is compiled for an H100 (tests/integration/h100.test.ts).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { EngineFunction, Outputs } from "../../../../runtime/engines/engine";
import { cudnnAttention } from "../../../../runtime/engines/xla/attention/cudnn";
import type { AttentionKernel } from "../../../../runtime/engines/xla/attention/kernel";
import type { Builder } from "../../../../runtime/engines/xla/builder";
import { createEngine } from "../../../../runtime/engines/xla/engine";
import { type Target, targets, withAttention } from "../../../../runtime/engines/xla/target";
import type { AnyTensor } from "../../../../runtime/ops/ops";
import { randomAt } from "../../../../runtime/random/random";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { errorOf } from "../../../support/op-check";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { compiledTrace, inBfloat16 } from "../../../support/replay";
import { spelledAttention } from "../../../support/xla/spelled-attention";

const changed = vi.hoisted((): { to: Partial<Target> } => ({ to: {} }));
vi.mock(import("../../../../runtime/engines/xla/target"), async (original) => {
  const module = await original();
  const changedTarget: typeof module.withAttention = (target, what) => ({
    ...module.withAttention(target, what),
    ...changed.to,
  });
  return { ...module, withAttention: changedTarget };
});
const cache = useOwnCache();
afterAll(cache.remove);
beforeEach(() => {
  changed.to = {};
});

const said: string[] = [];
async function engineWith(to: Partial<Target>) {
  changed.to = to;
  said.length = 0;
  const progress = (line: string): unknown => said.push(line);
  return createEngine({ threads: 1, device: "cpu", precision: "bf16", pjrtPlugin: plugin.path, progress });
}

/** The ops of attention without the roles in their types, of which generated code has more than a test needs. */
type Product = (a: AnyTensor, b: AnyTensor, attrs?: { readonly scale: number }) => AnyTensor;
interface LooseOps {
  readonly matmul: Product;
  readonly matmulNT: Product;
  readonly matmulTN: Product;
  readonly softmax: (scores: AnyTensor) => AnyTensor;
  readonly softmaxGrad: (gradient: AnyTensor, weights: AnyTensor) => AnyTensor;
  readonly toBf16: (x: AnyTensor) => AnyTensor;
  readonly toF32: (x: AnyTensor) => AnyTensor;
}

const queries = [2, 3, 4, 8];
const keys = [2, 3, 5, 8];
const shapes = { q: queries, k: keys, v: keys, d: queries };

/** Attention and its gradients as generated code writes them; 4 queries and 5 keys, so that none can stand for another. */
const attend: EngineFunction = {
  name: "attend",
  reads: [],
  lengths: [],
  inputs: new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "f32", shape }])),
  run: (ops, _, inputs) => {
    const o = ops as unknown as LooseOps;
    // The names of `shapes`, each a tensor.
    const given = inputs as unknown as Readonly<Record<keyof typeof shapes, AnyTensor>>;
    const scale = 1 / Math.sqrt(8);
    const [q, k, v, dMixed] = [o.toBf16(given.q), o.toBf16(given.k), o.toBf16(given.v), o.toBf16(given.d)];
    const attention = o.toBf16(o.softmax(o.matmulNT(q, k, { scale })));
    const mixed = o.matmul(attention, v);
    const dAttention = o.matmulNT(dMixed, v);
    const dV = o.matmulTN(attention, dMixed);
    const dScores = o.toBf16(o.softmaxGrad(dAttention, o.toF32(attention)));
    const dQ = o.matmul(dScores, k, { scale });
    const dK = o.matmulTN(dScores, q, { scale });
    return { state: {}, outputs: { mixed, dQ, dK, dV } };
  },
};

async function attendedWith(to: Partial<Target>): Promise<Outputs> {
  const engine = await engineWith(to);
  try {
    const random = randomAt({ seed: 15, purpose: "test" });
    const inputs = new Map<string, Float32Array>();
    for (const [name, shape] of Object.entries(shapes)) {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      random.fillNormal(values, 2);
      inputs.set(name, values);
    }
    return await (await engine.load(attend, engine.createStore(new Map()))).run(inputs, {});
  } finally {
    await engine.release();
  }
}

describe.skipIf(!hasPlugin)("attention by a kernel", () => {
  let plain: Outputs;
  beforeAll(async () => {
    plain = await attendedWith({});
  }, 300_000);
  /** Of each result, the greatest difference from what the ops give, as a share of the greatest number. */
  const errorsOf = (found: Outputs): Readonly<Record<string, number>> =>
    Object.fromEntries([...plain].map(([name, values]) => [name, errorOf(found.get(name) ?? [], values)]));

  test("gives what the ops give but for rounding, in one call each way", { timeout: 300_000 }, async () => {
    const forward = vi.fn(spelledAttention.forward);
    const backward = vi.fn(spelledAttention.backward);
    const errors = errorsOf(await attendedWith({ attention: { ...spelledAttention, forward, backward } }));
    // Results are rounded to 8 bits.
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(0.02);
    expect(forward).toHaveBeenCalled();
    expect(backward).toHaveBeenCalledTimes(forward.mock.calls.length);
  });

  test.each(["q", "k", "v"] as const)(
    "its gradient of %s is the one that is used",
    { timeout: 300_000 },
    async (name) => {
      const backward: AttentionKernel<Builder>["backward"] = (b, input, gradient) => {
        const gradients = spelledAttention.backward(b, input, gradient);
        return { ...gradients, [name]: b.convert(b.times(b.convert(gradients[name], "f32"), 2), "bf16") };
      };
      const errors = errorsOf(await attendedWith({ attention: { ...spelledAttention, backward } }));
      const wrong = Object.entries(errors).flatMap(([result, error]) => (error > 0.5 ? [result] : []));
      expect(wrong).toEqual([`d${name.toUpperCase()}`]);
    },
  );

  test("is done without where the plugin does not have it", { timeout: 300_000 }, async () => {
    expect(errorsOf(await attendedWith({ attention: cudnnAttention }))).toEqual({ mixed: 0, dQ: 0, dK: 0, dV: 0 });
    expect(said).toContainEqual(expect.stringMatching(/^cuDNN's attention cannot be used here: .*fmhaSoftmax/));
  });

  test("is not asked for where heads are not as wide as it takes", { timeout: 300_000 }, async () => {
    await attendedWith({ attention: { ...cudnnAttention, takes: () => false } });
    expect(said).not.toContainEqual(expect.stringContaining("cannot be used"));
  });

  test("products that hand on bfloat16 are off by its rounding, and by no more", { timeout: 300_000 }, async () => {
    expect([targets.gpu, targets.tpu, targets.cpu].map((target) => target.roundsProducts)).toEqual([
      true,
      true,
      undefined,
    ]);
    const errors = errorsOf(await attendedWith({ roundsProducts: true }));
    for (const [name, error] of Object.entries(errors)) {
      expect(error, name).toBeGreaterThan(0);
      expect(error, name).toBeLessThan(0.05);
    }
  });
});

describe.skipIf(!hasPlugin)("a recorded step in bfloat16", () => {
  test("holds with products that hand on bfloat16, as those of cards do", { timeout: 900_000 }, async () => {
    const engine = await engineWith({ roundsProducts: true });
    const { trace, files } = await compiledTrace("step_tiny_official_init", inBfloat16);
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engine, { mse: false, steps: 1 });
      expect(comparisons.length).toBeGreaterThan(90);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await trace.close();
      await engine.release();
    }
  });
});

const cudnn = { IJEPA_XLA_ATTENTION: "cudnn" };
test.each([
  ["gpu", "bf16", cudnn, cudnnAttention],
  ["gpu", "fp32", cudnn, undefined],
  ["cpu", "bf16", cudnn, undefined],
  ["gpu", "bf16", {}, undefined],
  ["gpu", "bf16", { IJEPA_XLA_ATTENTION: "none" }, undefined],
] as const)("on %s in %s with %j", (device, precision, variables, kernel) => {
  expect(withAttention(targets[device], { precision, variables }).attention).toBe(kernel);
});
