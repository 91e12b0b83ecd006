/** Many devices against one: N ranks that meet in this process against N accumulated micro-batches of the same images. */
import { describe, expect, it } from "vitest";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { follow } from "../../runtime/replay/follow";
import { openTrace } from "../../runtime/replay/trace";
import { compileReplay } from "../../tools/replay/compile";
import { evaluateReplay } from "../support/generated";
import { expectClose, type MakeEngine, manyDevicesProgram, threeSteps } from "../support/many-devices";
import { officialPath } from "../support/official";
import { onRanks } from "../support/ranks";
import { testSeed } from "../support/seed";

const seed = testSeed;

const onnx: MakeEngine = (reducer, reduceBucketBytes) => createEngine({ threads: 1, reducer, reduceBucketBytes });
const binding: MakeEngine = (reducer) => createEngine({ threads: 1, reducer, runtime: "binding" });
const exact: MakeEngine = (reducer) => createReferenceEngine({ reducer });

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
    const one = await manyDevicesProgram({ gpus: 1, accumulation: gpus * accumulation });
    const wanted = await threeSteps(one, makeEngine);
    const many = await manyDevicesProgram({ gpus, accumulation });
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
    "%d ranks with %d micro-batches each, clipped at %s, %s: a sharded optimizer has the same bits",
    async (gpus, accumulation, clipNorm, _, makeEngine) => {
      const change = { gpus, accumulation, clipNorm };
      const wanted = await manyDevicesProgram(change);
      const sharded = await manyDevicesProgram({ ...change, shardOptimizer: true });
      // Several buckets, and groups of shards, of which some hold one tensor alone.
      const small = await manyDevicesProgram({ ...change, shardOptimizer: true, reduceBucketMiB: 0.001 });
      const [first] = await onRanks(gpus, (ranks) => threeSteps(wanted, makeEngine, ranks));
      for (const program of [sharded, small]) {
        for (const found of await onRanks(gpus, (ranks) => threeSteps(program, makeEngine, ranks))) {
          expect(found).toEqual(first);
        }
      }
    },
  );

  it("a sharded optimizer on the reference engine is that of one device", async () => {
    const wanted = await threeSteps(await manyDevicesProgram({ gpus: 1, accumulation: 4 }), exact);
    const sharded = await manyDevicesProgram({ gpus: 4, accumulation: 1, shardOptimizer: true });
    for (const found of await onRanks(4, (ranks) => threeSteps(sharded, exact, ranks))) expectClose(found, wanted);
  });

  it("a regularizer has the statistics of each device's micro-batch, and is logged as their mean", async () => {
    const regularizer = { name: "vicreg", weight: 0.1, variance: 1, covariance: 1 };
    const wanted = await threeSteps(await manyDevicesProgram({ gpus: 1, accumulation: 2, regularizer }), onnx);
    const many = await manyDevicesProgram({ gpus: 2, accumulation: 1, regularizer });
    const whole = await threeSteps(await manyDevicesProgram({ gpus: 1, accumulation: 1, regularizer }), onnx);
    for (const found of await onRanks(2, (ranks) => threeSteps(many, onnx, ranks))) {
      expectClose(found, wanted);
      for (const [step, value] of found.regularizers.entries()) {
        expect(value).toBeCloseTo(wanted.regularizers[step] ?? Number.NaN, 5);
        expect(value).toBeLessThan(found.losses[step] ?? 0);
      }
    }
    // Twice as many images at once have other statistics.
    expect(Math.abs((whole.regularizers[0] ?? 0) - (wanted.regularizers[0] ?? 0))).toBeGreaterThan(1e-4);
  });

  it("equal runs end in equal bits", async () => {
    const program = await manyDevicesProgram({ gpus: 4, accumulation: 1 });
    const run = () => onRanks(4, (ranks) => threeSteps(program, onnx, ranks));
    expect(await run()).toEqual(await run());
  });

  it("a step for many devices on one alone is a step of one", async () => {
    const many = await threeSteps(await manyDevicesProgram({ gpus: 2, accumulation: 1 }), onnx);
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
      const { files } = compileReplay(trace, { hardware: { ...onCpus, gpus: trace.ranks } });
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
