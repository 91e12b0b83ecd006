import { describe, expect, it } from "vitest";
import type { Engine } from "../../../runtime/engines/engine";
import { inputsOf } from "../../../runtime/loop/functions";
import { stateSpecs, writeInitialState } from "../../../runtime/loop/state";
import { openStepRunner } from "../../../runtime/loop/step-runner";
import type { PreparedStep } from "../../../runtime/loop/train-loop";
import { type FakeEngine, fakeEngine, tinyProgram } from "./fake";
import { tinyExperiment } from "./tiny";

const contexts = 2;

/** The same batch of 8 images in `accumulation` micro-batches. */
async function runner(
  accumulation: number,
  lossAt?: (call: number) => number | null,
  wrap: (engine: FakeEngine) => Engine = (engine) => engine,
) {
  const optimizer = { ...tinyExperiment.optimizer, globalBatch: 8, accumulation, deviceBatch: 8 / accumulation };
  const masks = { ...tinyExperiment.masks, contextCount: contexts };
  const program = tinyProgram({ optimizer, masks }, accumulation === 1 ? "step" : "accumulate");
  const engine = fakeEngine(lossAt);
  const store = engine.createStore(stateSpecs(program.parameters, program.state));
  await writeInitialState(store, program.parameters, 1);
  return { engine, ...(await openStepRunner(wrap(engine), program, store)) };
}

/** An input of the whole batch: rows (group, image), joined over the micro-batches. */
function joined({ microBatches }: PreparedStep, path: string, groups: number): number[] {
  const rows: number[][][] = microBatches.map(({ batches: [batch] }) => {
    const values = [...(inputsOf({ batch: batch ?? {} }).get(path) ?? [])];
    const count = (groups * 8) / microBatches.length;
    const width = values.length / count;
    return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width));
  });
  const perGroup = 8 / microBatches.length;
  return Array.from({ length: groups }, (_, group) =>
    rows.flatMap((list) => list.slice(group * perGroup, (group + 1) * perGroup)),
  ).flat(2);
}

describe("a step in micro-batches", () => {
  const inputs: readonly [path: string, groups: number][] = [
    ["batch.contextIndex", contexts],
    ["batch.targetIndex", 1],
    ["batch.dropPath.1.attn", contexts],
    ["batch.dropPath.1.mlp", contexts],
  ];
  it.each(inputs)("has the %s of the whole batch", async (path, groups) => {
    const whole = (await runner(1)).prepare(3);
    for (const accumulation of [2, 4]) {
      const parts = (await runner(accumulation)).prepare(3);
      expect(parts.microBatches).toHaveLength(accumulation);
      expect(joined(parts, path, groups)).toEqual(joined(whole, path, groups));
    }
  });

  it("has the mean of their losses, and one update", async () => {
    const { engine, prepare, run } = await runner(4, (call) => call);
    const images = async (): Promise<Uint8Array> => new Uint8Array(2 * 3 * 16 * 16);
    expect((await run(prepare(0), images)).loss).toBe(1.5);
    expect(engine.calls).toEqual(["accumulate", "accumulate", "accumulate", "accumulate", "update"]);
  });

  it("is not applied where a loss is not finite", async () => {
    const { engine, prepare, run } = await runner(2, () => Number.NaN);
    const images = async (): Promise<Uint8Array> => new Uint8Array(4 * 3 * 16 * 16);
    expect((await run(prepare(0), images)).loss).toBeNaN();
    expect(engine.calls).toEqual(["accumulate", "accumulate"]);
  });
});

describe("micro-batches on an engine that queues", () => {
  const images = async (): Promise<Uint8Array> => new Uint8Array(2 * 3 * 16 * 16);

  /** Calls are begun at once, and end only when they are told to. */
  function queueing() {
    const ends: (() => void)[] = [];
    const begun: string[] = [];
    const wrap = (engine: FakeEngine): Engine => ({
      ...engine,
      load: async (fn, store) => {
        const loaded = await engine.load(fn, store);
        return {
          ...loaded,
          queue: async (shares, lengths) => {
            begun.push(fn.name);
            const made = await Promise.all(shares.map((inputs) => loaded.run(inputs, lengths)));
            return { outputs: new Promise((resolve) => ends.push(() => resolve(made))) };
          },
        };
      },
    });
    return { ends, begun, wrap };
  }

  /** Whatever is ready to go on has gone on. */
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

  it("are begun behind one another, two at most, and the update behind them", async () => {
    const { ends, begun, wrap } = queueing();
    const { begin, prepare, ahead } = await runner(4, (call) => call, wrap);
    expect(ahead).toBe(1);
    const beginning = begin(prepare(0), images);
    await settled();
    expect(begun).toEqual(["accumulate", "accumulate"]);
    ends[0]?.();
    await settled();
    expect(begun).toHaveLength(3);
    ends[1]?.();
    const { outcome } = await beginning;
    // Nobody has waited for the last two, nor for the update.
    expect(begun).toEqual(["accumulate", "accumulate", "accumulate", "accumulate", "update"]);
    for (const end of ends) end();
    expect(await outcome).toEqual({ loss: 1.5, gradientNorm: null });
  });
});
