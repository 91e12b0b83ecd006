import { describe, expect, it } from "vitest";
import { featuresFunction, stepFunctions } from "../../../runtime/loop/functions";
import {
  stateSpecs,
  targetPath,
  targetSpecs,
  writeInitialState,
  writeInitialTarget,
  writeZeroGradients,
} from "../../../runtime/loop/state";
import { fakeEngine, tinyProgram } from "./fake";
import { tinyParameters } from "./tiny";

const weights = ["encoder.norm.weight", "encoder.blocks.0.mlp.fc1.weight", "predictor.predictorProj.weight"];
const under = (root: string): string[] => weights.map((path) => `${root}.${path}`);
const target = ["target.norm.weight", "target.blocks.0.mlp.fc1.weight"];

describe("the state of a run", () => {
  it("holds weights, moments, the target encoder and, with accumulation, gradients", () => {
    const whole = [...under("weights"), ...under("m"), ...under("v"), ...target];
    expect([...stateSpecs(tinyParameters, "step").keys()]).toEqual(whole);
    expect([...stateSpecs(tinyParameters, "accumulate").keys()]).toEqual([...whole, ...under("gradients")]);
    expect([...targetSpecs(tinyParameters).keys()]).toEqual(target);
    expect(() => targetPath("predictor.norm.weight")).toThrow(/internal/);
  });

  it("begins with a target that equals the encoder, and zeros elsewhere", async () => {
    const store = fakeEngine().createStore(stateSpecs(tinyParameters, "accumulate"));
    await writeInitialState(store, tinyParameters, 5);
    const drawn = await store.read("weights.encoder.blocks.0.mlp.fc1.weight");
    expect(drawn.every((value) => value !== 0 && Math.abs(value) < 0.2)).toBe(true);
    expect(await store.read("target.blocks.0.mlp.fc1.weight")).toEqual(drawn);
    for (const root of ["m", "v", "gradients"]) {
      for (const path of under(root)) expect((await store.read(path)).every((value) => value === 0)).toBe(true);
    }
    const compared = fakeEngine().createStore(targetSpecs(tinyParameters));
    await writeInitialTarget(compared, tinyParameters, 5);
    expect(await compared.read("target.blocks.0.mlp.fc1.weight")).toEqual(drawn);
  });

  it("has no gradients after a checkpoint is loaded", async () => {
    const store = fakeEngine().createStore(stateSpecs(tinyParameters, "accumulate"));
    await writeInitialState(store, tinyParameters, 5);
    await store.write("gradients.encoder.norm.weight", new Float32Array(8).fill(3));
    await writeZeroGradients(store);
    expect(await store.read("gradients.encoder.norm.weight")).toEqual(new Float32Array(8));
  });
});

describe("the generated functions", () => {
  it("read the parts of the state that they need", () => {
    const step = stepFunctions(tinyProgram({}, "step"));
    if (step.kind !== "step") throw new Error("expected the whole step");
    expect(step.step.reads).toEqual([...under("weights"), ...under("m"), ...under("v"), ...target]);

    const parts = stepFunctions(tinyProgram({}, "accumulate"));
    if (parts.kind !== "accumulate") throw new Error("expected two functions");
    expect(parts.accumulate.reads).toEqual([...under("weights"), ...target, ...under("gradients")]);
    expect([...parts.accumulate.inputs.keys()].some((path) => path.startsWith("schedule."))).toBe(false);
    expect([...parts.update.inputs.keys()].every((path) => path.startsWith("schedule."))).toBe(true);
    expect(parts.update.lengths).toEqual([]);

    const features = featuresFunction(tinyProgram());
    expect(features.reads).toEqual(target);
    expect([...features.inputs].map(([path, { shape }]) => [path, shape])).toEqual([
      ["images", [2, 3, 16, 16]],
      ["positions", [16, 8]],
    ]);
  });

  it("are given no drop path where the experiment has none", () => {
    const step = stepFunctions(tinyProgram({ dropPath: 0 }, "step"));
    if (step.kind !== "step") throw new Error("expected the whole step");
    expect([...step.step.inputs.keys()].filter((path) => path.includes("dropPath"))).toEqual([]);
  });
});
