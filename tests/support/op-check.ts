/** Compares an op on an engine with the float64 reference, by its sample call. */
import { expect } from "vitest";
import type { Engine } from "../../runtime/engines/engine";
import type { OpName } from "../../runtime/ops/ops";
import { sampleCall } from "./op-calls";
import type { Sample } from "./op-samples";

const SEED = 20230119;

/** Greatest difference relative to the greatest number; NaN where one of them is. */
export function errorOf(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let error = 0;
  let most = 1e-30;
  for (let i = 0; i < wanted.length; i++) {
    error = Math.max(error, Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN)));
    most = Math.max(most, Math.abs(wanted[i] ?? 0));
  }
  return error / most;
}

/** `runAgain` runs it once more, for what an engine has to say of itself in between. */
export async function expectOp(
  engine: Engine,
  {
    op,
    how,
    reference,
    sample,
    between = async () => undefined,
  }: {
    readonly op: OpName;
    readonly how: "fixed" | "symbolic";
    readonly reference: Engine;
    /** Left out: the op's own. */
    readonly sample?: Sample<OpName>;
    readonly between?: (runAgain: () => Promise<unknown>) => Promise<void>;
  },
): Promise<void> {
  const { fn, inputs, lengths } = sampleCall(op, how, SEED, sample);
  const wanted = await (await reference.load(fn, reference.createStore(new Map()))).run(inputs, lengths);
  const loaded = await engine.load(fn, engine.createStore(new Map()));
  const found = await loaded.run(inputs, lengths);
  await between(() => loaded.run(inputs, lengths));
  await loaded.release();
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [path, values] of wanted) {
    expect(found.get(path)?.length).toBe(values.length);
    expect(errorOf(found.get(path) ?? [], values), `${path}, seed ${SEED}`).toBeLessThan(2e-6);
  }
}
