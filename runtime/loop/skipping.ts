/**
 * Steps that can be taken back. Before each one the whole state is kept on the host, and after it every number of the state is
 * looked at: a gradient that is not finite shows in the moments of AdamW, whatever the engine. So a step that is taken back
 * leaves each tensor bit for bit as it was, also with engines that update in place. It costs one reading of the state a step
 * and its size in memory of the host, which is why it is asked for (optimization.skipNonFinite).
 */
import type { StateStore } from "../engines/engine";
import { type NotFinite, problemOf } from "./not-finite";
import type { StepOutcome, StepRunner } from "./train-loop";

export function skippingRunner(runner: StepRunner, store: StateStore): StepRunner {
  let kept: ReadonlyMap<string, Float32Array> | null = null;

  const settle = async (before: ReadonlyMap<string, Float32Array>, outcome: StepOutcome): Promise<StepOutcome> => {
    const after = await readAll(store);
    const found = problemOf(outcome) ?? problemIn(after);
    if (found === null) {
      kept = after;
      return outcome;
    }
    for (const [path, values] of before) await store.write(path, values);
    return { ...outcome, takenBack: found };
  };

  const begin: StepRunner["begin"] = async (prepared, nextImages) => {
    kept ??= await readAll(store);
    const { outcome, dataMs } = await runner.begin(prepared, nextImages);
    return { outcome: Promise.resolve(await settle(kept, await outcome)), dataMs };
  };
  return {
    ahead: 0,
    prepare: runner.prepare,
    begin,
    run: async (prepared, nextImages) => {
      const { outcome, dataMs } = await begin(prepared, nextImages);
      return { ...(await outcome), dataMs };
    },
  };
}

function problemIn(state: ReadonlyMap<string, Float32Array>): NotFinite | null {
  for (const [path, values] of state) {
    const value = values.find((number) => !Number.isFinite(number));
    if (value !== undefined) return { what: `A number of ${path} after the update`, value };
  }
  return null;
}

async function readAll(store: StateStore): Promise<ReadonlyMap<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  // A copy: an engine may hand out memory that it writes to again.
  for (const path of store.specs.keys()) all.set(path, (await store.read(path)).slice());
  return all;
}
