/** Many devices against one: N ranks that meet in this process against N accumulated micro-batches of the same images. */
import { describe, expect, it } from "vitest";
import { compile } from "../../compiler/compile";
import { specFromText } from "../../compiler/spec/load";
import type { Engine } from "../../runtime/engines/engine";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import type { TrainerProgram } from "../../runtime/experiment";
import { inputSpecs } from "../../runtime/loop/functions";
import { stateSpecs, writeInitialState } from "../../runtime/loop/state";
import { openStepRunner } from "../../runtime/loop/step-runner";
import { wholeState } from "../../runtime/loop/whole-state";
import { randomAt } from "../../runtime/random/random";
import { aloneCommunicator } from "../../runtime/ranks/alone";
import type { Communicator } from "../../runtime/ranks/communicator";
import { follow } from "../../runtime/replay/follow";
import { openTrace } from "../../runtime/replay/trace";
import { shardsOf } from "../../runtime/step/shards";
import { compileReplay } from "../../tools/replay/compile";
import { evaluateReplay, evaluateTrainer } from "../support/generated";
import { pixelsOf } from "../support/noise";
import { officialPath } from "../support/official";
import { onRanks } from "../support/ranks";
import { testSeed } from "../support/seed";

const seed = testSeed;
const GLOBAL_BATCH = 8;

interface Change {
  readonly gpus: number;
  readonly accumulation: number;
  readonly clipNorm?: number | null;
  readonly shardOptimizer?: boolean;
  readonly bucketBytes?: number;
}

/** Stochastic depth, clipping and several programs: whatever depends on the place of an image in the batch. */
function programOf(change: Change): Promise<TrainerProgram> {
  const spec = {
    image: { size: 25 },
    encoder: { dim: 12, depth: 2, heads: 3, patch: 5, dropPath: 0.3 },
    predictor: { dim: 12, depth: 2, heads: 3 },
    masking: { minKeep: 1, targets: { count: 3, scale: [0.13, 0.24] }, context: { scale: [0.7, 0.95], tokens: 4 } },
    data: { source: "shapes", trainImages: 64, sceneSize: 64 },
    evaluation: { knn: { neighbours: 5 } },
    optimization: {
      epochs: 2,
      // The nearest that three devices can share.
      globalBatch: change.gpus === 3 ? 6 : GLOBAL_BATCH,
      accumulation: change.accumulation,
      clipNorm: change.clipNorm === undefined ? 0.5 : change.clipNorm,
      learningRate: { warmupEpochs: 0.1 },
      // With a smaller one AdamW makes whole steps out of the rounding of gradients that are zero.
      adamw: { eps: 1e-4 },
    },
    hardware: {
      gpus: change.gpus,
      shardOptimizer: change.shardOptimizer ?? false,
      reduceBucketMiB: (change.bucketBytes ?? 25 * 2 ** 20) / 2 ** 20,
    },
  };
  const loaded = specFromText({ text: JSON.stringify(spec), file: "small.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return evaluateTrainer(compile(loaded).files);
}

type MakeEngine = (ranks: Communicator, bucketBytes: number) => Promise<Engine>;
const onnx: MakeEngine = (reducer, reduceBucketBytes) => createEngine({ threads: 1, reducer, reduceBucketBytes });
const binding: MakeEngine = (reducer) => createEngine({ threads: 1, reducer, runtime: "binding" });
const exact: MakeEngine = (reducer) => createReferenceEngine({ reducer });

interface Trained {
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly losses: readonly number[];
  readonly norms: readonly (number | null)[];
}

/** State, losses and norms of three steps on one device of several. Image number i of a step is a function of both. */
async function threeSteps(program: TrainerProgram, makeEngine: MakeEngine, ranks: Communicator): Promise<Trained> {
  const { deviceBatch, accumulation } = program.experiment.optimiser;
  const { experiment } = program;
  const engine = await makeEngine(ranks, experiment.hardware.reduceBucketMiB * 2 ** 20);
  const specs = stateSpecs(program.parameters, program.state, shardsOf(experiment));
  const store = engine.createStore(specs);
  await writeInitialState(store, program.parameters, seed);
  const runner = await openStepRunner(engine, program, store, ranks);
  const shape = inputSpecs(program.features).get("images")?.shape ?? [];
  const imageSize = shape.slice(1).reduce<number>((size, length) => size * Number(length), 1);
  const losses: number[] = [];
  const norms: (number | null)[] = [];
  for (let step = 0; step < 3; step++) {
    let micro = 0;
    const outcome = await runner.run(runner.prepare(step), async () => {
      const images = new Float32Array(deviceBatch * imageSize);
      for (let i = 0; i < deviceBatch; i++) {
        const sample = (micro * ranks.size + ranks.rank) * deviceBatch + i;
        const image = images.subarray(i * imageSize, (i + 1) * imageSize);
        randomAt({ seed, purpose: "images", step, sample }).fillNormal(image, 1);
      }
      micro++;
      return pixelsOf(images);
    });
    expect(micro).toBe(accumulation);
    losses.push(outcome.loss);
    norms.push(outcome.gradientNorm);
  }
  const state = new Map<string, Float32Array>();
  // Between two steps the sums of gradients are zero, and one device has none.
  const whole = wholeState(program, store, ranks);
  for (const path of specs.keys()) if (!path.startsWith("gradients.")) state.set(path, await whole.read(path));
  await engine.release();
  return { state, losses, norms };
}

function expectClose(found: Trained, wanted: Trained): void {
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

describe(`ranks against accumulation (seed ${seed})`, () => {
  it.each([
    [2, 1, "onnx", onnx],
    [4, 1, "onnx", onnx],
    [8, 1, "onnx", onnx],
    [2, 2, "onnx", onnx],
    [2, 1, "onnx by its binding", binding],
    [2, 1, "reference", exact],
    [4, 2, "reference", exact],
    [8, 1, "reference", exact],
  ] as const)("%d ranks with %d micro-batches each, %s", async (gpus, accumulation, _, makeEngine) => {
    const one = await programOf({ gpus: 1, accumulation: gpus * accumulation });
    const wanted = await threeSteps(one, makeEngine, aloneCommunicator());
    const many = await programOf({ gpus, accumulation });
    const found = await onRanks(gpus, (ranks) => threeSteps(many, makeEngine, ranks));
    for (const rank of found) expectClose(rank, wanted);
    const [first, ...others] = found;
    for (const other of others) expect(other).toEqual(first);
  });

  it.each([
    [2, 1, 0.5, "onnx", onnx],
    [3, 1, null, "onnx", onnx],
    [8, 1, null, "onnx", onnx],
    [2, 2, 0.5, "onnx", onnx],
    [2, 2, null, "onnx by its binding", binding],
  ] as const)(
    "%d ranks with %d micro-batches each, clipped at %s, %s: a sharded optimiser has the same bits",
    async (gpus, accumulation, clipNorm, _, makeEngine) => {
      const change = { gpus, accumulation, clipNorm };
      const wanted = await programOf(change);
      const sharded = await programOf({ ...change, shardOptimizer: true });
      // Several buckets, and groups of shards, of which some hold one tensor alone.
      const small = await programOf({ ...change, shardOptimizer: true, bucketBytes: 1000 });
      const [first] = await onRanks(gpus, (ranks) => threeSteps(wanted, makeEngine, ranks));
      for (const program of [sharded, small]) {
        for (const found of await onRanks(gpus, (ranks) => threeSteps(program, makeEngine, ranks))) {
          expect(found).toEqual(first);
        }
      }
    },
  );

  it("a sharded optimiser on the reference engine is that of one device", async () => {
    const wanted = await threeSteps(await programOf({ gpus: 1, accumulation: 4 }), exact, aloneCommunicator());
    const sharded = await programOf({ gpus: 4, accumulation: 1, shardOptimizer: true });
    for (const found of await onRanks(4, (ranks) => threeSteps(sharded, exact, ranks))) expectClose(found, wanted);
  });

  it("equal runs end in equal bits", async () => {
    const program = await programOf({ gpus: 4, accumulation: 1 });
    const run = () => onRanks(4, (ranks) => threeSteps(program, onnx, ranks));
    expect(await run()).toEqual(await run());
  });

  it("a step for many devices on one alone is a step of one", async () => {
    const many = await threeSteps(await programOf({ gpus: 2, accumulation: 1 }), onnx, aloneCommunicator());
    expect(many.losses.every(Number.isFinite)).toBe(true);
  });
});

const onCpus = {
  engine: "onnx",
  device: "cpu",
  shardOptimizer: false,
  reduceBucketMiB: 25,
  precision: "fp32",
  threads: 0,
  workers: 0,
} as const;

describe("the recorded run of two ranks of the official code, on two ranks", () => {
  it.each([
    ["onnx", onnx],
    ["reference", exact],
  ] as const)("holds on %s", async (_, makeEngine) => {
    const trace = await openTrace(officialPath("ddp2_tiny_official_init.safetensors"));
    try {
      const { files } = compileReplay(trace, { ...onCpus, gpus: trace.ranks });
      expect(files.find(({ name }) => name === "step.ts")?.text).toContain("mapAll(local, (g) => o.allReduce(g))");
      const program = await evaluateReplay(files);
      const found = await onRanks(trace.ranks, async (devices) => {
        const engine = await makeEngine(devices, 2 ** 20);
        const followed = await follow(program, trace, engine, { devices });
        await engine.release();
        return followed;
      });
      for (const { comparisons } of found) {
        expect(comparisons.length).toBe(101);
        expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
      }
    } finally {
      await trace.close();
    }
  });
});
