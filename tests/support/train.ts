/** A few steps of a compiled trainer, on any engine. */
import type { Compiled } from "../../compiler/compile";
import type { Engine } from "../../runtime/engines/engine";
import { stateSpecs, writeInitialState } from "../../runtime/loop/state";
import { openStepRunner } from "../../runtime/loop/step-runner";
import { randomAt } from "../../runtime/random/random";
import { evaluateTrainer } from "./generated";
import { pixelsOf } from "./noise";

export interface Trained {
  readonly losses: readonly number[];
  /** Values by path after the last step. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

/** So many steps, two unless said, of a compiled trainer on images of noise; the engine is released. */
export async function train(compiled: Compiled, engine: Engine, steps = 2): Promise<Trained> {
  const program = await evaluateTrainer(compiled.files);
  const { experiment, parameters } = program;
  const store = engine.createStore(stateSpecs(parameters, program.state));
  await writeInitialState(store, parameters, experiment.seed);
  const runner = await openStepRunner(engine, program, store);
  const { deviceBatch } = experiment.optimizer;
  const size = 3 * experiment.image.height * experiment.image.width;
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    let image = 0;
    const nextImages = async (): Promise<Uint8Array> => {
      const images = new Float32Array(deviceBatch * size);
      for (let i = 0; i < deviceBatch; i++) {
        // every image of a step by its number in the whole batch, however that is cut
        randomAt({ seed: 3, purpose: "test image", step, sample: image++ }).fillNormal(
          images.subarray(i * size, (i + 1) * size),
          1,
        );
      }
      return pixelsOf(images);
    };
    losses.push((await runner.run(runner.prepare(step), nextImages)).loss);
  }
  const state = new Map<string, Float32Array>();
  for (const path of store.specs.keys()) state.set(path, await store.read(path));
  await engine.release();
  return { losses, state };
}
