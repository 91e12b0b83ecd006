import { afterAll, describe, expect, test } from "vitest";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine } from "../../../../runtime/engines/tfjs/engine";
import { sampleCall } from "../../../support/op-calls";
import { opNames } from "../../../support/op-samples";
import { errorOf } from "./support";

const SEED = 20230119;
const reference = await createReferenceEngine();
const engines = {
  wasm: await createEngine({ threads: 1, device: "wasm" }),
  js: await createEngine({ threads: 1, device: "js" }),
};

afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

describe.each([
  ["wasm", "symbolic"],
  ["wasm", "fixed"],
  ["js", "symbolic"],
] as const)("the op on %s with %s lengths gives the numbers of the reference", (device, how) => {
  test.each(opNames)("%s", async (op) => {
    const engine = engines[device];
    const { fn, inputs, lengths } = sampleCall(op, how, SEED);
    const wanted = await (await reference.load(fn, reference.createStore(new Map()))).run(inputs, lengths);
    const loaded = await engine.load(fn, engine.createStore(new Map()));
    const found = await loaded.run(inputs, lengths);
    const { tensors } = engine.memory();
    await loaded.run(inputs, lengths);
    expect(engine.memory().tensors, "tensors left behind").toBe(tensors);
    await loaded.release();
    expect([...found.keys()]).toEqual([...wanted.keys()]);
    for (const [path, values] of wanted) {
      expect(found.get(path)?.length).toBe(values.length);
      expect(errorOf(found.get(path) ?? [], values), `${path}, seed ${SEED}`).toBeLessThan(2e-6);
    }
  });
});
