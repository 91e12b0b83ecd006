import { describe, expect, it } from "vitest";
import { stepModel } from "../../../tools/scaling/expect";
import {
  type Choices,
  hierarchicalReduction,
  type Links,
  momentBytes,
  ringReduction,
  type StepModel,
  scaledStep,
} from "../../../tools/scaling/model";

const links: Links = {
  cardsPerHost: 8,
  cardBytesPerSecond: 400e9,
  hostBytesPerSecond: 40e9,
  cardLatency: 1e-6,
  hostLatency: 10e-6,
};

describe("an all-reduce", () => {
  it.each([
    // 2 (n − 1) / n × bytes / speed + 2 (n − 1) hops, by hand
    { devices: 1, bytes: 4e9, ring: 0, hierarchical: 0 },
    { devices: 2, bytes: 4e9, ring: 10e-3 + 2e-6, hierarchical: 10e-3 + 2e-6 },
    { devices: 8, bytes: 4e9, ring: 17.5e-3 + 14e-6, hierarchical: 17.5e-3 + 14e-6 },
    { devices: 16, bytes: 4e9, ring: 187.5e-3 + 300e-6, hierarchical: 17.5e-3 + 14e-6 + 100e-3 + 20e-6 },
    {
      devices: 512,
      bytes: 4e9,
      ring: 0.2 * (511 / 512) + 10.22e-3,
      hierarchical: 17.514e-3 + 0.2 * (63 / 64) + 1.26e-3,
    },
  ])("of $bytes bytes over $devices devices", ({ devices, bytes, ring, hierarchical }) => {
    const secondsOf = (way: typeof ringReduction): number => {
      const { scatterSeconds, gatherSeconds } = way(devices, bytes, links);
      return scatterSeconds + gatherSeconds;
    };
    expect(secondsOf(ringReduction)).toBeCloseTo(ring, 9);
    expect(secondsOf(hierarchicalReduction)).toBeCloseTo(hierarchical, 9);
  });

  it("is bound by the cards where the network is faster", () => {
    const fast = { ...links, hostBytesPerSecond: 800e9, hostLatency: 1e-6 };
    expect(ringReduction(16, 4e9, fast).scatterSeconds).toBeCloseTo((15 / 16) * 10e-3 + 15e-6, 9);
  });
});

describe("a step", () => {
  // 1e9 weights; reduction of 4 GB takes 40 ms each way, so many bytes in so much time.
  const step: StepModel = { stepSeconds: 0.2, backwardSeconds: 0.1, updateSeconds: 0.016, parameters: 1e9 };
  const reduce = (_devices: number, bytes: number) => ({ scatterSeconds: bytes / 1e11, gatherSeconds: bytes / 1e11 });
  const asItIs: Choices = { gradientBytes: 4, overlap: false, sharded: false, bucketBytes: 4e8 };
  it.each<[what: string, changes: Partial<Choices>, exposed: number, seconds: number]>([
    ["waits for the whole reduction", {}, 0.08, 0.28],
    ["for half of it in bf16", { gradientBytes: 2 }, 0.04, 0.24],
    ["for the last bucket where backward is longer", { overlap: true }, 0.008, 0.208],
    ["and a bucket in bf16 is a larger part", { overlap: true, gradientBytes: 2 }, 0.008, 0.208],
    ["updates a part of the weights, gathers all", { sharded: true }, 0.08, 0.2 - 0.015 + 0.08],
    ["which overlaps with nothing", { sharded: true, overlap: true }, 0.044, 0.2 - 0.015 + 0.044],
    ["in float32", { sharded: true, gradientBytes: 2 }, 0.06, 0.2 - 0.015 + 0.06],
  ])("%s", (_, changes, exposed, seconds) => {
    const scaled = scaledStep(step, 16, reduce, { ...asItIs, ...changes });
    expect(scaled.exposedSeconds).toBeCloseTo(exposed, 9);
    expect(scaled.stepSeconds).toBeCloseTo(seconds, 9);
    expect(scaled.efficiency).toBeCloseTo(0.2 / seconds, 9);
  });

  it("takes the hops of a reduction for every bucket", () => {
    const far = (devices: number, bytes: number) => {
      const { scatterSeconds, gatherSeconds } = reduce(devices, bytes);
      return { scatterSeconds: scatterSeconds + 1e-3, gatherSeconds: gatherSeconds + 1e-3 };
    };
    const short = { ...step, backwardSeconds: 0.03 };
    expect(scaledStep(short, 16, far, asItIs).exposedSeconds).toBeCloseTo(0.082, 9);
    // Ten buckets: 100 ms in all, of which 30 are hidden.
    expect(scaledStep(short, 16, far, { ...asItIs, overlap: true }).exposedSeconds).toBeCloseTo(0.07, 9);
  });

  it("waits for what backward does not cover", () => {
    const short = { ...step, backwardSeconds: 0.03 };
    expect(scaledStep(short, 16, reduce, { ...asItIs, overlap: true }).exposedSeconds).toBeCloseTo(0.05, 9);
  });

  it("has moments for all weights, or for a part", () => {
    expect(momentBytes(1e9, 16, false)).toBe(8e9);
    expect(momentBytes(1e9, 16, true)).toBe(5e8);
  });
});

describe("the step of one device", () => {
  const facts = {
    parameters: { encoder: 3e9, predictor: 1e9 },
    flopsPerStep: {
      total: 1e15,
      parts: [
        { name: "context encoder", forwardFlops: 6e14, backwardFlops: 3e14 },
        { name: "predictor", forwardFlops: 0, backwardFlops: 1e14 },
      ],
    },
  } as const;
  it.each([
    // 1e15 / (989e12 × 0.5); backward is 0.4 of it, of the last of the micro-batches alone
    { mfu: 0.5, stepSeconds: null, accumulation: 1, seconds: 2.0222, backward: 0.8089 },
    { mfu: 0.5, stepSeconds: null, accumulation: 4, seconds: 2.0222, backward: 0.2022 },
    { mfu: 0.5, stepSeconds: 3, accumulation: 1, seconds: 3, backward: 1.2 },
  ])("at $mfu of the peak, measured $stepSeconds", ({ mfu, stepSeconds, accumulation, seconds, backward }) => {
    const model = stepModel(facts, accumulation, "bf16", { card: "H100", mfu, stepSeconds });
    expect(model.stepSeconds).toBeCloseTo(seconds, 4);
    expect(model.backwardSeconds).toBeCloseTo(backward, 4);
    // 7 × 4 bytes a weight, and 2 × 4 a weight of the target encoder, at 3.35 TB/s
    expect(model.updateSeconds).toBeCloseTo((28 * 4e9 + 8 * 3e9) / 3.35e12, 6);
    expect(model.parameters).toBe(4e9);
  });
});
