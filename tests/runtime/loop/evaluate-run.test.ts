import { describe, expect, it } from "vitest";
import type { LabelledSplit } from "../../../runtime/evaluate/evaluate";
import { evaluateRun } from "../../../runtime/loop/evaluate-run";
import { stateSpecs, writeInitialState } from "../../../runtime/loop/state";
import { randomAt } from "../../../runtime/random/random";
import { pixelsOf } from "../../support/noise";
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

async function opened(isStopping: () => boolean = () => false) {
  const engine = fakeEngine();
  const evaluation = { ...tinyProgram().experiment.evaluation, trainImages: count, testImages: count };
  const program = tinyProgram({ evaluation });
  const store = engine.createStore(stateSpecs(program.parameters, program.state));
  await writeInitialState(store, program.parameters, program.experiment.seed);
  const labelled = { train: split(0), validation: split(1), test: split(2) };
  return { engine, ...evaluateRun({ program, engine, store, labelled, isStopping }) };
}

describe("evaluation of a run", () => {
  it("looks at the target encoder alone while training goes on", async () => {
    const { engine, now } = await opened();
    expect((await now())?.rows.map(({ representation }) => representation)).toEqual(["target encoder"]);
    // Two images at a time, the last one filled up, in three splits.
    expect(engine.calls).toEqual(new Array(3 * 9).fill("features"));
    await now();
    expect(engine.loaded).toHaveLength(1);
  });

  it("compares it at the end with random initialisation and raw pixels", async () => {
    const { engine, final } = await opened();
    const heard: string[] = [];
    const report = await final((line) => heard.push(line));
    expect(report?.rows.map(({ representation }) => representation)).toEqual([
      "target encoder",
      "random initialisation",
      "raw pixels (16×16)",
    ]);
    expect(heard).toHaveLength(3);
    expect([...(engine.stores[1]?.specs.keys() ?? [])].every((path) => path.startsWith("target."))).toBe(true);
  });

  it("breaks off where the person wants to stop", async () => {
    expect(await (await opened(() => true)).final(() => {})).toBe(null);
  });
});
