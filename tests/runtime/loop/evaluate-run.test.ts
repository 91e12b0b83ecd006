import { describe, expect, it } from "vitest";
import type { LabelledSplit } from "../../../runtime/evaluate/evaluate";
import type { Features } from "../../../runtime/evaluate/features";
import { evaluateRun } from "../../../runtime/loop/evaluate-run";
import { stateSpecs, writeInitialState } from "../../../runtime/loop/state";
import { randomAt } from "../../../runtime/random/random";
import type { Communicator } from "../../../runtime/ranks/communicator";
import { pixelsOf } from "../../support/noise";
import { onRanks } from "../../support/ranks";
import { fakeEngine, tinyProgram } from "./fake";

const count = 17;
const size = 3 * 16 * 16;

function split(sample: number): LabelledSplit {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  return {
    count,
    tasks: [{ name: "parity", classes: 2 }],
    labels: () => labels,
    pixels: async (from, images) => {
      const pixels = new Float32Array(images * size);
      for (let i = 0; i < images; i++) {
        const random = randomAt({ seed: 1, purpose: "test", step: sample, sample: from + i });
        random.fillNormal(pixels.subarray(i * size, (i + 1) * size), 1);
      }
      return pixelsOf(pixels);
    },
  };
}

async function opened(isStopping: () => boolean = () => false, ranks?: Communicator, trained = split(0)) {
  const engine = fakeEngine();
  const evaluation = { ...tinyProgram().experiment.evaluation, trainImages: count, testImages: count };
  const program = tinyProgram({ evaluation });
  const store = engine.createStore(stateSpecs(program.parameters, program.state));
  await writeInitialState(store, program.parameters, program.experiment.seed);
  const labelled = { train: trained, validation: split(1), test: split(2) };
  const heard: Features[] = [];
  const seen = (features: Features): void => {
    heard.push(features);
  };
  const run = evaluateRun({ program, engine, store, labelled, isStopping, seen, ...(ranks && { ranks }) });
  return { engine, heard, ...run };
}

describe("evaluation of a run", () => {
  it("refuses too few labelled images before the training, not after it", async () => {
    await expect(opened(undefined, undefined, { ...split(0), count: 15 })).rejects.toMatchObject({ code: "R151" });
  });

  it("looks at the target encoder alone while training goes on", async () => {
    const { engine, now } = await opened();
    expect((await now())?.rows.map(({ representation }) => representation)).toEqual(["target encoder"]);
    // Two images at a time, the last one filled up, in three splits.
    expect(engine.calls).toEqual(new Array(3 * 9).fill("features"));
    await now();
    expect(engine.loaded).toHaveLength(1);
  });

  it("compares it at the end with random initialization and raw pixels", async () => {
    const { engine, final } = await opened();
    const heard: string[] = [];
    const report = await final((line) => heard.push(line));
    expect(report?.rows.map(({ representation }) => representation)).toEqual([
      "target encoder",
      "random initialization",
      "raw pixels (16×16)",
    ]);
    expect(heard).toHaveLength(3);
    expect([...(engine.stores[1]?.specs.keys() ?? [])].every((path) => path.startsWith("target."))).toBe(true);
  });

  it("shows the features of the training images by the judged encoder, and by no other", async () => {
    const { now, final, heard } = await opened();
    await now();
    await final(() => {});
    expect(heard.map(({ images }) => images)).toEqual([count, count]);
    expect(heard[1]).toEqual(heard[0]);
  });

  it("breaks off where the person wants to stop", async () => {
    expect(await (await opened(() => true)).final(() => {})).toBe(null);
  });

  it.each([2, 3, 5])("is shared out over %i ranks, with the numbers of one", async (size) => {
    const alone = await (await opened()).final(() => {});
    const shared = await onRanks(size, async (ranks) => {
      const { engine, final, now, heard } = await opened(undefined, ranks);
      const report = await final(() => {});
      return { report, calls: engine.calls.length, heard: heard.length, now: (await now()) !== null };
    });
    expect(shared[0]?.report).toEqual(alone);
    expect(shared.slice(1).map(({ report }) => report)).toEqual(new Array(size - 1).fill(null));
    expect(shared.map(({ heard }) => heard)).toEqual([1, ...new Array(size - 1).fill(0)]);
    // Nine batches of three splits, by two encoders.
    expect(shared.reduce((sum, { calls }) => sum + calls, 0)).toBe(9 * 3 * 2);
    expect(Math.max(...shared.map(({ calls }) => calls))).toBeLessThanOrEqual(Math.ceil(9 / size) * 3 * 2);
    expect(shared.map(({ now }) => now)).toEqual([true, ...new Array(size - 1).fill(false)]);
  });

  it("breaks off on all ranks where one was asked to stop", async () => {
    const broken = await onRanks(3, async (ranks) => {
      const { now, engine } = await opened(() => ranks.rank === 1, ranks);
      return { report: await now(), calls: engine.calls.length };
    });
    expect(broken.map(({ report }) => report)).toEqual([null, null, null]);
    expect(broken[1]?.calls).toBe(0);
  });
});
