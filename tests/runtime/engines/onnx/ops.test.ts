import { afterAll, describe, expect, test } from "vitest";
import type { Engine } from "../../../../runtime/engines/engine";
import { createEngine } from "../../../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { sampleCall } from "../../../support/op-calls";
import { opNames } from "../../../support/op-samples";

const SEED = 20230119;
const reference = await createReferenceEngine();
const engines: Record<string, Engine> = {
  c: await createEngine({ threads: 1, runtime: "c" }),
  binding: await createEngine({ threads: 1, runtime: "binding" }),
};

afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

/** Greatest difference relative to the greatest number. */
function errorOf(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let error = 0;
  let most = 1e-30;
  for (let i = 0; i < wanted.length; i++) {
    error = Math.max(error, Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN)));
    most = Math.max(most, Math.abs(wanted[i] ?? 0));
  }
  return error / most;
}

describe.each([
  ["c", "symbolic"],
  ["c", "fixed"],
  ["binding", "symbolic"],
] as const)("the op by %s with %s lengths gives the numbers of the reference", (runtime, how) => {
  test.each(opNames)("%s", async (op) => {
    const engine = engines[runtime];
    if (engine === undefined) throw new Error("no engine");
    const { fn, inputs, lengths } = sampleCall(op, how, SEED);
    const wanted = await (await reference.load(fn, reference.createStore(new Map()))).run(inputs, lengths);
    const loaded = await engine.load(fn, engine.createStore(new Map()));
    const found = await loaded.run(inputs, lengths);
    await loaded.release();
    expect([...found.keys()]).toEqual([...wanted.keys()]);
    for (const [path, values] of wanted) {
      expect(found.get(path)?.length).toBe(values.length);
      expect(errorOf(found.get(path) ?? [], values), `${path}, seed ${SEED}`).toBeLessThan(2e-6);
    }
  });
});
