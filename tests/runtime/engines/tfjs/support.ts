import { expect } from "vitest";
import type { Engine } from "../../../../runtime/engines/engine";
import type { TfjsEngine } from "../../../../runtime/engines/tfjs/engine";
import type { OpName } from "../../../../runtime/ops/ops";
import { sampleCall } from "../../../support/op-calls";

const SEED = 20230119;

/** Greatest difference relative to the greatest number. */
export function errorOf(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let error = 0;
  let most = 1e-30;
  for (let i = 0; i < wanted.length; i++) {
    error = Math.max(error, Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN)));
    most = Math.max(most, Math.abs(wanted[i] ?? 0));
  }
  return error / most;
}

/** Runs the sample of an op twice: the numbers of the reference, and no tensor left behind. */
export async function checkOp(
  engine: TfjsEngine,
  { op, how, reference }: { readonly op: OpName; readonly how: "fixed" | "symbolic"; readonly reference: Engine },
): Promise<void> {
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
}
