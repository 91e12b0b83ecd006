/** A product that no memory holds: every engine says so, lives on, and computes the next one. */
import { afterAll, describe, expect, it } from "vitest";
import type { DeviceName, Engine, EngineFunction, EngineName } from "../../../runtime/engines/engine";
import { openEngine } from "../../../runtime/engines/open";
import { UserError } from "../../../runtime/errors";
import type { F32 } from "../../../runtime/ops/ops";
import { hasPlugin, plugin, useOwnCache } from "../../support/pjrt";

const cache = useOwnCache();
afterAll(cache.remove);

/** Attention of `tokens` to as many: tokens² numbers, which are made though only one comes out. */
const scores = (tokens: number): EngineFunction => ({
  name: "scores",
  reads: [],
  inputs: new Map([["x", { dtype: "f32", shape: [1, 1, tokens, 1] }]]),
  lengths: [],
  run: (o, _, inputs) => {
    // The inputs are those that are listed above.
    const { x } = inputs as { readonly x: F32<[1, 1, number, 1]> };
    const products = o.matmulNT(x, x, { scale: 1 });
    return { state: {}, outputs: { y: o.mse(products, o.softmax(products)) } };
  },
});

/** 2⁴⁸ bytes: a process has no more than 2⁴⁷ addresses. */
const TOO_MANY = 2 ** 23;

const engines: readonly (readonly [engine: EngineName, device: DeviceName])[] = [
  ["onnx", "cpu"],
  ["tfjs", "wasm"],
  ["tfjs", "js"],
  ...(hasPlugin ? ([["xla", "cpu"]] as const) : []),
];

describe.each(engines)("%s on %s", (name, device) => {
  let engine: Engine | undefined;
  afterAll(() => engine?.release());

  it("says what it could not do, and what takes less", { timeout: 120_000 }, async () => {
    engine = await openEngine(name, { threads: 1, device, pjrtPlugin: plugin.path });
    const made = engine;
    const run = async (tokens: number): Promise<ArrayLike<number> | undefined> => {
      const fn = scores(tokens);
      const loaded = await made.load(fn, made.createStore(new Map()));
      try {
        return (await loaded.run(new Map([["x", new Float32Array(tokens)]]), {})).get("y");
      } finally {
        await loaded.release();
      }
    };
    const error: unknown = await run(TOO_MANY).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      code: "R117",
      message: expect.stringMatching(/could not (run|compile) scores.*accumulation/),
    });
    // Softmax of zeros is 1/3 everywhere.
    expect((await run(3))?.[0]).toBeCloseTo(1 / 9, 6);
  });
});
