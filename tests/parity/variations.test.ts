/** Every variation of a spec, trained for two steps: the engines agree with the float64 reference. */
import { describe, expect, it } from "vitest";
import type { Compiled } from "../../compiler/compile";
import type { Engine } from "../../runtime/engines/engine";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { createEngine as createTfjs } from "../../runtime/engines/tfjs/engine";
import { stateSpecs, writeInitialState } from "../../runtime/loop/state";
import { openStepRunner } from "../../runtime/loop/step-runner";
import { randomAt } from "../../runtime/random/random";
import { evaluateTrainer } from "../support/generated";
import { base, compiledWith, variations } from "../support/variations";

const STEPS = 2;

interface Trained {
  readonly losses: readonly number[];
  /** Values by path after the last step. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

async function train(compiled: Compiled, engine: Engine): Promise<Trained> {
  const program = await evaluateTrainer(compiled.files);
  const { experiment, parameters } = program;
  const store = engine.createStore(stateSpecs(parameters, program.state));
  await writeInitialState(store, parameters, experiment.seed);
  const runner = await openStepRunner(engine, program, store);
  const { deviceBatch } = experiment.optimiser;
  const size = 3 * experiment.image.height * experiment.image.width;
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    let image = 0;
    const nextImages = async (): Promise<Float32Array> => {
      const images = new Float32Array(deviceBatch * size);
      for (let i = 0; i < deviceBatch; i++) {
        // every image of a step by its number in the whole batch, however that is cut
        randomAt({ seed: 3, purpose: "test image", step, sample: image++ }).fillNormal(
          images.subarray(i * size, (i + 1) * size),
          1,
        );
      }
      return images;
    };
    losses.push((await runner.run(runner.prepare(step), nextImages)).loss);
  }
  const state = new Map<string, Float32Array>();
  for (const path of store.specs.keys()) state.set(path, await store.read(path));
  await engine.release();
  return { losses, state };
}

const onnx = (): Promise<Engine> => createEngine({ threads: 1 });
const wasm = (): Promise<Engine> => createTfjs({ threads: 1, device: "wasm" });

/** The largest difference of weights and targets, as a share of what two steps changed them by at most. */
function worstDifference(a: Trained, b: Trained): { readonly path: string; readonly difference: number } {
  let worst = { path: "", difference: 0 };
  for (const [path, values] of a.state) {
    if (!path.startsWith("weights.") && !path.startsWith("target.")) continue;
    const others = b.state.get(path);
    const third = values.length / 3;
    for (const [i, value] of values.entries()) {
      // the key's bias has no true gradient: AdamW makes noise of rounding (reference.md §12)
      if (path.endsWith("attn.qkv.bias") && i >= third && i < 2 * third) continue;
      const difference = Math.abs(value - (others?.[i] ?? Number.NaN));
      if (!(difference <= worst.difference)) worst = { path, difference };
    }
  }
  return worst;
}

describe("variations", () => {
  it.each(variations)("%s: as in float64", async (_name, change) => {
    const compiled = compiledWith(change);
    const exact = await train(compiled, await createReferenceEngine());
    for (const engine of [await onnx(), await wasm()]) {
      const fast = await train(compiled, engine);
      for (const [step, loss] of fast.losses.entries()) expect(loss).toBeCloseTo(exact.losses[step] ?? Number.NaN, 5);
      // AdamW's first steps move every weight by about the learning rate (≤ 1e-3), whatever the size of its gradient
      expect(worstDifference(fast, exact)).toMatchObject({ difference: expect.closeTo(0, 4) });
    }
  });

  it("a batch in parts gives the weights of the whole", async () => {
    const masking = { ...base.masking, context: { tokens: 2 } };
    const whole = await train(compiledWith({ masking }), await onnx());
    const optimization = { ...base.optimization, accumulation: 4 };
    const parts = await train(compiledWith({ masking, optimization }), await onnx());
    expect(parts.losses[0]).toBeCloseTo(whole.losses[0] ?? Number.NaN, 5);
    expect(worstDifference(whole, parts)).toMatchObject({ difference: expect.closeTo(0, 4) });
  });
});
