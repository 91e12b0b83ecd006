/** Three steps of a small experiment on one device of several, or on several, for comparing one with the other. */
import { expect } from "vitest";
import { compile } from "../../compiler/compile";
import type { SpecInput } from "../../compiler/spec/input";
import { specFromText } from "../../compiler/spec/load";
import type { Engine } from "../../runtime/engines/engine";
import type { ObjectiveName, TrainerProgram } from "../../runtime/experiment";
import { inputSpecs } from "../../runtime/loop/functions";
import { stateSpecs, writeInitialState } from "../../runtime/loop/state";
import { openStepRunner } from "../../runtime/loop/step-runner";
import { wholeState } from "../../runtime/loop/whole-state";
import { randomAt } from "../../runtime/random/random";
import { aloneCommunicator } from "../../runtime/ranks/alone";
import type { Communicator } from "../../runtime/ranks/communicator";
import { shardsOf } from "../../runtime/step/shards";
import { evaluateTrainer } from "./generated";
import { pixelsOf } from "./noise";
import { testSeed } from "./seed";

const seed = testSeed;

export type MakeEngine = (ranks: Communicator, bucketBytes: number) => Promise<Engine>;

const network = { dim: 12, depth: 2, heads: 3 };
const ownFields: { readonly [Name in ObjectiveName]: object } = {
  ijepa: {
    predictor: network,
    maskSets: 2,
    masking: { minKeep: 1, targets: { count: 3, scale: [0.13, 0.24] }, context: { scale: [0.7, 0.95], tokens: 4 } },
  },
  mae: { decoder: network },
  simmim: {},
  data2vec: { targets: { blocks: 2 }, maskSets: 2 },
};

/** Stochastic depth, several sets of masks, clipping and several programs: whatever depends on the place of an image in the batch. */
export function manyDevicesProgram({
  accumulation,
  clipNorm = 0.5,
  objective = "ijepa",
  regularizer = null,
  ...hardware
}: NonNullable<SpecInput["hardware"]> & {
  readonly gpus: number;
  readonly accumulation: number;
  readonly clipNorm?: number | null;
  readonly objective?: ObjectiveName;
  readonly regularizer?: object | null;
}): Promise<TrainerProgram> {
  const spec = {
    image: { size: 25 },
    encoder: { dim: 12, depth: 2, heads: 3, patch: 5, dropPath: 0.3 },
    objective,
    ...ownFields[objective],
    ...(regularizer && { regularizer }),
    data: { source: "shapes", trainImages: 64, sceneSize: 64 },
    evaluation: { knn: { neighbours: 5 } },
    optimization: {
      epochs: 2,
      // The nearest that three devices can share.
      globalBatch: hardware.gpus === 3 ? 6 : 8,
      accumulation,
      clipNorm,
      learningRate: { warmupEpochs: 0.1 },
      // With a smaller one AdamW makes whole steps out of the rounding of gradients that are zero.
      adamw: { eps: 1e-4 },
    },
    hardware,
  };
  const loaded = specFromText({ text: JSON.stringify(spec), file: "small.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return evaluateTrainer(compile(loaded).files);
}

export interface Trained {
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly losses: readonly number[];
  /** What of each a regularizer adds; undefined where there is none. */
  readonly regularizers: readonly (number | undefined)[];
  readonly norms: readonly (number | null)[];
}

/** State, losses and norms of three steps on the devices of one process. Image number i of a step is a function of both. */
export async function threeSteps(
  program: TrainerProgram,
  makeEngine: MakeEngine,
  ranks: Communicator = aloneCommunicator(),
): Promise<Trained> {
  const { deviceBatch, accumulation } = program.experiment.optimizer;
  const { experiment } = program;
  const engine = await makeEngine(ranks, experiment.hardware.reduceBucketMiB * 2 ** 20);
  const { devices = 1 } = engine;
  const specs = stateSpecs(program.parameters, program.state, shardsOf(experiment));
  const store = engine.createStore(specs);
  await writeInitialState(store, program.parameters, seed);
  const runner = await openStepRunner(engine, program, store, ranks);
  const shape = inputSpecs(program.features).get("images")?.shape ?? [];
  const imageSize = shape.slice(1).reduce<number>((size, length) => size * Number(length), 1);
  const losses: number[] = [];
  const regularizers: (number | undefined)[] = [];
  const norms: (number | null)[] = [];
  for (let step = 0; step < 3; step++) {
    let calls = 0;
    const outcome = await runner.run(runner.prepare(step), async () => {
      const images = new Float32Array(deviceBatch * imageSize);
      for (let i = 0; i < deviceBatch; i++) {
        const micro = Math.floor(calls / devices);
        const sample = ((micro * ranks.size + ranks.rank) * devices + (calls % devices)) * deviceBatch + i;
        const image = images.subarray(i * imageSize, (i + 1) * imageSize);
        randomAt({ seed, purpose: "images", step, sample }).fillNormal(image, 1);
      }
      calls++;
      return pixelsOf(images);
    });
    expect(calls).toBe(accumulation * devices);
    losses.push(outcome.loss);
    regularizers.push(outcome.regularizer);
    norms.push(outcome.gradientNorm);
  }
  const state = new Map<string, Float32Array>();
  // Between two steps the sums of gradients are zero, and one device has none.
  const whole = wholeState(program, store, ranks);
  for (const path of specs.keys()) if (!path.startsWith("gradients.")) state.set(path, await whole.read(path));
  await engine.release();
  return { state, losses, regularizers, norms };
}

export function expectClose(found: Trained, wanted: Trained): void {
  expect([...found.state.keys()]).toEqual([...wanted.state.keys()]);
  for (const [path, want] of wanted.state) {
    const got = found.state.get(path) ?? new Float32Array();
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = want.reduce((most, value, i) => Math.max(most, Math.abs((got[i] ?? Number.NaN) - value)), 0);
    const allowed = /^(weights|target)\./.test(path) ? 3e-6 : 1e-4 * largest + 1e-12;
    expect(worst, `${path}: off by ${worst} of ${largest}`).toBeLessThan(allowed);
  }
  wanted.losses.forEach((loss, i) => {
    expect(found.losses[i]).toBeCloseTo(loss, 5);
    expect(found.norms[i]).toBeCloseTo(wanted.norms[i] ?? Number.NaN, 5);
  });
}
