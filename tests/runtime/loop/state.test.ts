import { describe, expect, it } from "vitest";
import { featuresFunction, stepEngineFunctions } from "../../../runtime/loop/functions";
import { stateSpecs, targetPath, writeInitialState, writeZeroGradients } from "../../../runtime/loop/state";
import { fakeEngine, tinyProgram } from "./fake";
import { tinyParameters } from "./tiny";

const weights = ["encoder.norm.weight", "encoder.blocks.0.mlp.fc1.weight", "predictor.predictorProj.weight"];
const under = (root: string): string[] => weights.map((path) => `${root}.${path}`);
const target = ["target.norm.weight", "target.blocks.0.mlp.fc1.weight"];

const step = ["weights", "m", "v", "target"] as const;
const accumulated = [...step, "gradients"] as const;

describe("the state of a run", () => {
  it("holds weights, moments, the target encoder and, with accumulation, gradients", () => {
    const whole = [...under("weights"), ...under("m"), ...under("v"), ...target];
    expect([...stateSpecs(tinyParameters, step).keys()]).toEqual(whole);
    expect([...stateSpecs(tinyParameters, accumulated).keys()]).toEqual([...whole, ...under("gradients")]);
    expect([...stateSpecs(tinyParameters, ["target"]).keys()]).toEqual(target);
    expect(() => targetPath("predictor.norm.weight")).toThrow(/internal/);
  });

  it("begins with a target that equals the encoder, and zeros elsewhere", async () => {
    const store = fakeEngine().createStore(stateSpecs(tinyParameters, accumulated));
    await writeInitialState(store, tinyParameters, 5);
    const drawn = await store.read("weights.encoder.blocks.0.mlp.fc1.weight");
    expect(drawn.every((value) => value !== 0 && Math.abs(value) < 0.2)).toBe(true);
    expect(await store.read("target.blocks.0.mlp.fc1.weight")).toEqual(drawn);
    for (const root of ["m", "v", "gradients"]) {
      for (const path of under(root)) expect((await store.read(path)).every((value) => value === 0)).toBe(true);
    }
    const compared = fakeEngine().createStore(stateSpecs(tinyParameters, ["target"]));
    await writeInitialState(compared, tinyParameters, 5);
    expect(await compared.read("target.blocks.0.mlp.fc1.weight")).toEqual(drawn);
  });

  it("has no gradients after a checkpoint is loaded", async () => {
    const store = fakeEngine().createStore(stateSpecs(tinyParameters, accumulated));
    await writeInitialState(store, tinyParameters, 5);
    await store.write("gradients.encoder.norm.weight", new Float32Array(8).fill(3));
    await writeZeroGradients(store);
    expect(await store.read("gradients.encoder.norm.weight")).toEqual(new Float32Array(8));
  });
});

describe("the generated functions", () => {
  it("read the parts of the state that they need", () => {
    const whole = stepEngineFunctions(tinyProgram({}, "step"));
    expect(whole.microBatch.reads).toEqual([...under("weights"), ...under("m"), ...under("v"), ...target]);
    expect(whole.update).toBeNull();

    const { microBatch, update } = stepEngineFunctions(tinyProgram({}, "accumulate"));
    expect(microBatch.reads).toEqual([...under("weights"), ...target, ...under("gradients")]);
    expect([...microBatch.inputs.keys()].some((path) => path.startsWith("schedule."))).toBe(false);
    expect([...(update?.inputs.keys() ?? [])].every((path) => path.startsWith("schedule."))).toBe(true);
    expect(update?.lengths).toEqual([]);

    const features = featuresFunction(tinyProgram());
    expect(features.reads).toEqual(target);
    expect([...features.inputs].map(([path, { shape }]) => [path, shape])).toEqual([
      ["images", [2, 3, 16, 16]],
      ["pixelMean", [3]],
      ["pixelStd", [3]],
      ["positions", [16, 8]],
    ]);
  });

  it("are given no drop path where the experiment has none", () => {
    const { microBatch } = stepEngineFunctions(tinyProgram({ dropPath: 0 }, "step"));
    expect([...microBatch.inputs.keys()].filter((path) => path.includes("dropPath"))).toEqual([]);
  });
});
