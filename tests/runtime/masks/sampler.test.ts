/** Strategies whose context is all that is no target: what holds for any grid, and that nothing is preferred. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MaskSettings } from "../../../compiler/masks/settings";
import { buildMaskPlan, maskPlanProblems } from "../../../compiler/masks/strategies";
import { patchCoverage } from "../../../compiler/plan/mask-coverage";
import type { MaskPlan } from "../../../runtime/masks/plan";
import { type MaskBatch, programOfStep, sampleMasks, targetOfStep } from "../../../runtime/masks/sampler";

const grids = fc.record({ height: fc.integer({ min: 2, max: 12 }), width: fc.integer({ min: 2, max: 12 }) });
const shares = fc.double({ min: 0.02, max: 0.98, noNaN: true });
const aspects = fc.double({ min: 0.3, max: 3, noNaN: true });
const pair = (of: fc.Arbitrary<number>) => fc.tuple(of, of).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

const anySettings: { readonly [strategy: string]: fc.Arbitrary<MaskSettings> } = {
  block: fc
    .record({ grid: grids, targets: fc.record({ scale: pair(shares), aspect: pair(aspects) }) })
    .map((rest): MaskSettings => ({ strategy: "block", ...rest })),
  random: fc
    .record({ grid: grids, share: shares })
    .map(({ grid, share }): MaskSettings => ({ strategy: "random", grid, targets: { share } })),
  rasterized: grids.map(
    ({ height, width }): MaskSettings => ({ strategy: "rasterized", grid: { height: 2 * height, width: 2 * width } }),
  ),
};

const images = 3;

describe.each(Object.entries(anySettings))("%s, for any legal plan", (_, settings) => {
  const legalPlan = settings.filter((one) => maskPlanProblems(one).length === 0).map(buildMaskPlan);

  test("context and targets share out all patches, with the lengths of the step's program", () => {
    fc.assert(
      fc.property(legalPlan, fc.nat(), fc.nat(1000), (plan, seed, step) => {
        const masks = sampleMasks(plan, { seed, step, images, firstImage: 0 });
        const { C, T, S, U } = masks.lengths;
        expect(masks.program).toBe(programOfStep(plan, { seed, step }));
        expect(plan.programs[masks.program]).toMatchObject({ contextTokens: C, targetTokens: T });
        expect({ S, U }).toEqual({ S: C + T, U: plan.targetCount * T });
        expect(masks).toMatchObject({ redraws: 0, toppedUp: 0 });
        const all = Array.from({ length: plan.gridHeight * plan.gridWidth }, (_, patch) => patch);
        for (let image = 0; image < images; image++) {
          const context = [...masks.contextIndex.subarray(image * C, (image + 1) * C)];
          const targets = [...masks.targetIndex.subarray(image * U, (image + 1) * U)];
          expect([...context, ...targets].sort((a, b) => a - b)).toEqual(all);
          expect(context).toEqual([...context].sort((a, b) => a - b));
          for (let block = 0; block < plan.targetCount; block++) {
            const one = targets.slice(block * T, (block + 1) * T);
            expect(one).toEqual([...one].sort((a, b) => a - b));
            if (plan.strategy !== "random") expect(targetOfStep(plan, { seed, step })).toBe(rectangle(one, plan));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("an image's masks depend on its number alone, not on how a batch is cut", () => {
    fc.assert(
      fc.property(legalPlan, fc.nat(), fc.nat(1000), (plan, seed, step) => {
        const whole = sampleMasks(plan, { seed, step, images: 4, firstImage: 8 });
        const parts = [8, 10].map((firstImage) => sampleMasks(plan, { seed, step, images: 2, firstImage }));
        const both = (of: (masks: MaskBatch) => Int32Array) => parts.flatMap((part) => [...of(part)]);
        expect(both(({ targetIndex }) => targetIndex)).toEqual([...whole.targetIndex]);
        expect(both(({ contextIndex }) => contextIndex)).toEqual([...whole.contextIndex]);
      }),
      { numRuns: 100 },
    );
  });
});

/** The size of a block of patches that fills a rectangle, as `5×7`. */
function rectangle(patches: readonly number[], { gridWidth }: MaskPlan): string {
  const rows = new Set(patches.map((patch) => Math.floor(patch / gridWidth)));
  const columns = new Set(patches.map((patch) => patch % gridWidth));
  expect(patches.length).toBe(rows.size * columns.size);
  expect(Math.max(...rows) - Math.min(...rows)).toBe(rows.size - 1);
  expect(Math.max(...columns) - Math.min(...columns)).toBe(columns.size - 1);
  return `${rows.size}×${columns.size}`;
}

test("steps, images and seeds differ", () => {
  const plan = buildMaskPlan({ strategy: "random", grid: { height: 8, width: 8 }, targets: { share: 0.6 } });
  const at = (step: number, firstImage: number, seed = 0) =>
    sampleMasks(plan, { seed, step, images: 1, firstImage }).contextIndex.join();
  const all = [at(0, 0), at(1, 0), at(0, 1), at(0, 0, 1)];
  expect(new Set(all).size).toBe(all.length);
});

describe("nothing is preferred (χ² at a fixed seed; its 1 − 10⁻⁶ quantile)", () => {
  const grid = { height: 8, width: 8 };
  const steps = 1024;
  const perStep = 8;
  const draws = steps * perStep;
  const chiSquare = (counts: readonly number[], want: number): number =>
    counts.reduce((sum, count) => sum + (count - want) ** 2 / want, 0);
  /** What `of` makes of every image, counted. */
  const counted = (plan: MaskPlan, of: (masks: MaskBatch, image: number) => number): ReadonlyMap<number, number> => {
    const counts = new Map<number, number>();
    for (let step = 0; step < steps; step++) {
      const masks = sampleMasks(plan, { seed: 11, step, images: perStep, firstImage: 0 });
      for (let image = 0; image < perStep; image++) {
        const key = of(masks, image);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    return counts;
  };

  test("random: every patch is a target as often as any other", () => {
    const plan = buildMaskPlan({ strategy: "random", grid, targets: { share: 0.6 } });
    const share = 38 / 64;
    const { target, context } = patchCoverage(plan, { seed: 11, steps });
    const found = [...target].reduce((sum, each) => sum + (each - share) ** 2, 0);
    // Patches of an image are drawn without putting back, so their variance is smaller by 63/64 after summing.
    expect((found * draws * 63) / 64 / (share * (1 - share))).toBeLessThan(130);
    for (const [patch, each] of target.entries()) expect(each + (context[patch] ?? 0)).toBeCloseTo(1, 12);
  });

  test("block: every place of a size", () => {
    const plan = buildMaskPlan({ strategy: "block", grid, targets: { scale: [0.4, 0.4], aspect: [1, 1] } });
    expect(targetOfStep(plan, { seed: 11, step: 0 })).toBe("5×5");
    const places = counted(plan, ({ targetIndex }, image) => targetIndex[image * 25] ?? -1);
    expect(places.size).toBe(16);
    expect(chiSquare([...places.values()], draws / 16)).toBeLessThan(56);
  });

  test("rasterized: every quadrant is the context", () => {
    const plan = buildMaskPlan({ strategy: "rasterized", grid });
    const contexts = counted(plan, ({ contextIndex }, image) => contextIndex[image * 16] ?? -1);
    expect([...contexts.keys()].sort((a, b) => a - b)).toEqual([0, 4, 32, 36]);
    expect(chiSquare([...contexts.values()], draws / 4)).toBeLessThan(31);
  });
});
