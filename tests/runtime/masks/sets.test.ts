/** Several sets of masks of an image in one step, of every strategy. */
import { describe, expect, it } from "vitest";
import type { MaskSettings } from "../../../compiler/masks/settings";
import { buildMaskPlan } from "../../../compiler/masks/strategies";
import { factsOf } from "../../../compiler/step/facts";
import { programOfStep, sampleMasks, sampleSet } from "../../../runtime/masks/sampler";
import { compiledWith } from "../../support/variations";

const grid = { height: 8, width: 8 };
const strategies: readonly MaskSettings[] = [
  {
    strategy: "multiblock",
    grid,
    sampler: "reference",
    targets: { count: 3, scale: [0.15, 0.25], aspect: [0.75, 1.5] },
    context: { count: 2, scale: [0.85, 1], tokens: 9 },
    minKeep: 4,
    allowOverlap: false,
    drawnTogether: 4,
  },
  { strategy: "block", grid, targets: { scale: [0.4, 0.6], aspect: [0.75, 1.5] } },
  { strategy: "random", grid, targets: { share: 0.6 } },
  { strategy: "rasterized", grid },
];

describe.each(strategies)("$strategy", (settings) => {
  const plan = buildMaskPlan(settings);
  const setCount = 3;
  const images = 4;
  const request = { seed: 5, step: 7, images, firstImage: 12 };
  const all = sampleMasks({ ...plan, setCount }, request);
  const sets = Array.from({ length: setCount }, (_, set) => sampleSet(plan, { ...request, set }));

  it("the first set is what one set draws, and no other is", () => {
    expect(sets[0]).toEqual(sampleMasks(plan, request));
    const drawn = sets.map(({ contextIndex, targetIndex }) => `${contextIndex.join()} ${targetIndex.join()}`);
    expect(new Set(drawn).size).toBe(setCount);
  });

  it("all have the lengths of the step's program", () => {
    expect(all.program).toBe(programOfStep(plan, request));
    for (const { lengths, program } of sets) {
      expect({ lengths, program }).toEqual({ lengths: all.lengths, program: all.program });
    }
  });

  it("rows of contexts are (context, set, image), those of targets (set, image)", () => {
    const { C, U } = all.lengths;
    const rowsOf = (index: Int32Array, width: number, from: number) =>
      index.slice(from * width, (from + images) * width);
    for (const [s, set] of sets.entries()) {
      for (let j = 0; j < plan.contextCount; j++) {
        const row = (j * setCount + s) * images;
        expect(rowsOf(all.contextIndex, C, row)).toEqual(rowsOf(set.contextIndex, C, j * images));
      }
      expect(rowsOf(all.targetIndex, U, s * images)).toEqual(set.targetIndex);
    }
    expect(all.contextIndex.length).toBe(setCount * plan.contextCount * images * C);
    expect(all.redraws).toBe(sets.reduce((sum, { redraws }) => sum + redraws, 0));
  });

  it("an image's sets depend on its number alone, not on how a batch is cut", () => {
    const alone = sampleMasks({ ...plan, setCount }, { ...request, images: 1, firstImage: 14 });
    const { U, C } = all.lengths;
    const same = (whole: Int32Array, own: Int32Array, width: number): void => {
      for (let row = 0; row * width < own.length; row++) {
        const at = (row * images + 2) * width;
        expect(own.slice(row * width, (row + 1) * width)).toEqual(whole.slice(at, at + width));
      }
    };
    same(all.targetIndex, alone.targetIndex, U);
    same(all.contextIndex, alone.contextIndex, C);
  });
});

describe("in a plan", () => {
  // Grids on which the shortest of a batch is shorter than the mean.
  const auto = { image: { size: 112 }, masking: { targets: { scale: [0.15, 0.2] } } };
  const of = (change: object) => compiledWith({ ...auto, ...change });
  const contexts = (change: object) =>
    of(change).plan.experiment.masks.programs.map(({ contextTokens }) => contextTokens);
  const batch = (globalBatch: number) => ({
    optimization: { epochs: 2, globalBatch, learningRate: { warmupEpochs: 1 } },
  });

  it("contexts of automatic length are those of a batch of all sets' draws", () => {
    expect(contexts({ ...batch(4), maskSets: 4 })).toEqual(contexts(batch(16)));
    expect(contexts({ ...batch(4), maskSets: 4 })).not.toEqual(contexts(batch(4)));
  });

  it("the target encoder works once for all sets, context encoder and predictor for each", () => {
    const fixed = {
      image: { size: 32 },
      masking: { minKeep: 1, targets: { scale: [0.2, 0.3] }, context: { tokens: 2 } },
    };
    const parts = (maskSets: number) => {
      const { step, plan } = of({ ...fixed, maskSets });
      const { flopsPerStep, memory } = factsOf(step, plan);
      const flops = flopsPerStep.parts.map((part): [string, number] => [
        part.name,
        part.forwardFlops + part.backwardFlops,
      ]);
      return { flops: new Map(flops), memory };
    };
    const [one, two] = [parts(1), parts(2)];
    const times = (part: string) => (two.flops.get(part) ?? 0) / (one.flops.get(part) ?? 1);
    expect(times("images")).toBe(1);
    // Its last layers choose the tokens of targets, which are twice as many.
    expect(times("target encoder")).toBeCloseTo(1, 1);
    expect(times("context encoder")).toBeCloseTo(2, 2);
    expect(times("predictor")).toBeCloseTo(2, 1);
    expect(two.memory.keptBytes / one.memory.keptBytes).toBeCloseTo(2, 1);
    expect(two.memory.stateBytes).toBe(one.memory.stateBytes);
  });
});
