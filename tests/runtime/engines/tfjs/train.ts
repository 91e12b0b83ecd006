/** Steps of a small spec on an engine, on images of noise. */
import type { Compiled } from "../../../../compiler/compile";
import type { Engine, StateStore } from "../../../../runtime/engines/engine";
import type { TrainerProgram } from "../../../../runtime/experiment";
import { stateSpecs, writeInitialState } from "../../../../runtime/loop/state";
import { openStepRunner } from "../../../../runtime/loop/step-runner";
import { randomAt } from "../../../../runtime/random/random";
import { evaluateTrainer } from "../../../support/generated";
import { pixelsOf } from "../../../support/noise";

export interface SmallRun {
  readonly program: TrainerProgram;
  readonly store: StateStore;
  /** Runs the next step; gives its loss. */
  step(): Promise<number>;
}

export async function openRun(compiled: Compiled, engine: Engine): Promise<SmallRun> {
  const program = await evaluateTrainer(compiled.files);
  const { experiment, parameters } = program;
  const store = engine.createStore(stateSpecs(parameters, program.state));
  await writeInitialState(store, parameters, experiment.seed);
  const runner = await openStepRunner(engine, program, store);
  const { deviceBatch } = experiment.optimizer;
  const size = deviceBatch * 3 * experiment.image.height * experiment.image.width;
  let steps = 0;
  let drawn = 0;
  const nextImages = async (): Promise<Uint8Array> => {
    const images = new Float32Array(size);
    randomAt({ seed: 3, purpose: "test image", sample: drawn++ % 50 }).fillNormal(images, 1);
    return pixelsOf(images);
  };
  const { steps: last } = experiment.schedule;
  return { program, store, step: async () => (await runner.run(runner.prepare(steps++ % last), nextImages)).loss };
}
