import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MultiblockSettings } from "../../../../compiler/masks/settings";
import { multiblock } from "../../../../compiler/masks/strategies/multiblock";
import { patchCoverage } from "../../../../compiler/plan/mask-coverage";
import type { MaskBatch } from "../../../../runtime/masks/batch";
import { areaOf } from "../../../../runtime/masks/blocks";
import type { MultiblockPlan } from "../../../../runtime/masks/plan";
import { sampleMultiblock, stepSizes } from "../../../../runtime/masks/strategies/multiblock";
import { maskSettings, officialMasks } from "../../../support/official-masks";

const paper: MultiblockSettings = {
  strategy: "multiblock",
  grid: { height: 16, width: 16 },
  sampler: "unbiased",
  targets: { count: 4, scale: [0.15, 0.2], aspect: [0.75, 1.5] },
  context: { count: 1, scale: [0.85, 1], tokens: 64 },
  minKeep: 10,
  allowOverlap: false,
  drawnTogether: 128,
};

/** Settings of any legal plan, with budgets that need not be reachable. */
const anySettings: fc.Arbitrary<MultiblockSettings> = fc
  .record({
    height: fc.integer({ min: 2, max: 14 }),
    width: fc.integer({ min: 2, max: 70 }),
    sampler: fc.constantFrom("reference" as const, "unbiased" as const),
    targetCount: fc.integer({ min: 1, max: 5 }),
    contextCount: fc.integer({ min: 1, max: 3 }),
    scales: fc.tuple(fc.double({ min: 0.05, max: 1, noNaN: true }), fc.double({ min: 0.05, max: 1, noNaN: true })),
    contextScales: fc.tuple(fc.double({ min: 0.1, max: 1, noNaN: true }), fc.double({ min: 0.1, max: 1, noNaN: true })),
    aspects: fc.tuple(fc.double({ min: 0.3, max: 3, noNaN: true }), fc.double({ min: 0.3, max: 3, noNaN: true })),
    tokenShare: fc.double({ min: 0, max: 1, noNaN: true }),
    minKeep: fc.integer({ min: 0, max: 12 }),
    allowOverlap: fc.boolean(),
  })
  .map(({ height, width, sampler, minKeep, allowOverlap, ...rest }): MultiblockSettings => {
    const sorted = ([a, b]: readonly [number, number]) => [Math.min(a, b), Math.max(a, b)] as const;
    return {
      strategy: "multiblock",
      grid: { height, width },
      sampler,
      targets: { count: rest.targetCount, scale: sorted(rest.scales), aspect: sorted(rest.aspects) },
      context: {
        count: rest.contextCount,
        scale: sorted(rest.contextScales),
        tokens: Math.max(1, Math.round(rest.tokenShare * height * width)),
      },
      minKeep,
      allowOverlap,
      drawnTogether: 4,
    };
  });

const legalPlan = anySettings
  .map((settings) => multiblock.plan(settings))
  .filter((plan) => [...plan.sizes, ...plan.contextSizes].every((size) => areaOf(size) > plan.minKeep));

describe("for any legal plan", () => {
  const images = 3;

  test("every context has its tokens, every target is a block, indices ascend", () => {
    fc.assert(
      fc.property(legalPlan, fc.nat(), fc.nat(1000), (plan, seed, step) => {
        const masks = sampleMultiblock(plan, { seed, step, images, firstImage: 0 });
        const { target } = stepSizes(plan, { seed, step });
        const { C, T, S, U } = masks.lengths;
        expect(plan.programs[masks.program]).toMatchObject({ contextTokens: C, targetTokens: T });
        expect({ T, S, U }).toEqual({ T: areaOf(target), S: C + T, U: plan.targetCount * T });
        expect(masks.contextIndex.length).toBe(plan.contextCount * images * C);
        expect(masks.targetIndex.length).toBe(images * U);
        for (const row of rows(masks.contextIndex, C)) expectAscending(row, plan);
        for (const block of rows(masks.targetIndex, T)) {
          expectAscending(block, plan);
          const first = block[0] ?? 0;
          const want = Array.from({ length: T }, (_, i) => {
            return first + Math.floor(i / target.width) * plan.gridWidth + (i % target.width);
          });
          expect([...block]).toEqual(want);
          expect((first % plan.gridWidth) + target.width).toBeLessThanOrEqual(plan.gridWidth);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("the unbiased sampler keeps contexts and targets apart unless it had to top up or may overlap", () => {
    fc.assert(
      fc.property(legalPlan, fc.nat(), fc.nat(1000), (plan, seed, step) => {
        fc.pre(plan.sampler === "unbiased" && !plan.allowOverlap);
        const masks = sampleMultiblock(plan, { seed, step, images, firstImage: 0 });
        if (masks.toppedUp === 0) expect(sharedPatches(plan, masks, images)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("an image's masks depend on its number alone, not on how a batch is cut", () => {
    fc.assert(
      fc.property(legalPlan, fc.nat(), fc.nat(1000), (plan, seed, step) => {
        const whole = sampleMultiblock(plan, { seed, step, images: 4, firstImage: 8 });
        const parts = [8, 10].map((firstImage) => sampleMultiblock(plan, { seed, step, images: 2, firstImage }));
        expect(parts.flatMap(({ targetIndex }) => [...targetIndex])).toEqual([...whole.targetIndex]);
        const contexts = (masks: MaskBatch, count: number) => {
          const all = rows(masks.contextIndex, masks.lengths.C);
          return Array.from({ length: count }, (_, image) => all.filter((_, row) => row % count === image));
        };
        expect(parts.flatMap((part) => contexts(part, 2))).toEqual(contexts(whole, 4));
      }),
      { numRuns: 100 },
    );
  });
});

test("steps and images differ", () => {
  const plan = multiblock.plan(paper);
  const at = (step: number, firstImage: number, seed = 0) =>
    [...sampleMultiblock(plan, { seed, step, images: 1, firstImage }).contextIndex].join();
  const all = [at(0, 0), at(1, 0), at(0, 1), at(0, 0, 1)];
  expect(new Set(all).size).toBe(all.length);
});

test("block sizes come as often as the plan says", () => {
  const plan = multiblock.plan(paper);
  const steps = 20_000;
  const counts = plan.sizes.map(() => 0);
  for (let step = 0; step < steps; step++) {
    const at = plan.sizes.indexOf(stepSizes(plan, { seed: 1, step }).target);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const [i, { probability }] of plan.sizes.entries()) {
    const spread = 5 * Math.sqrt(steps * probability * (1 - probability)) + 1;
    expect(Math.abs((counts[i] ?? 0) - steps * probability)).toBeLessThan(spread);
  }
});

describe("unbiased", () => {
  test("a target lies at every possible offset equally often", () => {
    // One context token never forces a redraw, so that targets are drawn as they come.
    const plan = multiblock.plan({ ...paper, context: { ...paper.context, tokens: 1 } });
    const { target, redrawsPerImage } = patchCoverage(plan, { steps: 2048 });
    expect(redrawsPerImage).toBe(0);
    const along = (at: number, block: number) => {
      const offsets = 16 - block + 1;
      return (Math.min(at, 16 - block) - Math.max(0, at - block + 1) + 1) / offsets;
    };
    for (const [patch, share] of target.entries()) {
      const want = plan.sizes.reduce((sum, { height, width, probability }) => {
        const one = along(Math.floor(patch / 16), height) * along(patch % 16, width);
        return sum + probability * (1 - (1 - one) ** 4);
      }, 0);
      // Images of a step share their size, so the error is a little above that of 16,384 independent ones.
      expect(Math.abs(share - want)).toBeLessThan(0.025);
    }
  });

  test("kept tokens are chosen at random: nothing prefers the top rows", () => {
    const plan = multiblock.plan({
      ...paper,
      context: { count: 1, scale: [1, 1], tokens: 64 },
      allowOverlap: true,
    });
    const { context } = patchCoverage(plan, { steps: 1024 });
    const spread = Math.sqrt((0.25 * 0.75) / 8192);
    for (const share of context) expect(Math.abs(share - 0.25)).toBeLessThan(5 * spread);
  });

  test("every patch is context and target, alike in all four corners", () => {
    const plan = multiblock.plan(paper);
    const { context, target } = patchCoverage(plan, { steps: 2048 });
    for (const shares of [context, target]) {
      expect(Math.min(...shares)).toBeGreaterThan(0);
      const corners = [0, 15, 240, 255].map((patch) => shares[patch] ?? 0);
      expect(Math.max(...corners) - Math.min(...corners)).toBeLessThan(0.02);
    }
  });
});

describe("reference", () => {
  const official = officialMasks.settings.official_224_p14;
  if (official === undefined) throw new Error("masks.json lacks official_224_p14");
  const plan = multiblock.plan(maskSettings(official, 128));
  const coverage = patchCoverage(plan, { steps: 2048 });

  test("the last row and column are never context or target", () => {
    for (const shares of [coverage.context, coverage.target]) {
      const edge = [...shares].filter((_, patch) => patch % 16 === 15 || patch >= 240);
      expect(edge).toEqual(edge.map(() => 0));
    }
  });

  test("patches are context as often as the official masks have them", () => {
    const want = official.stats.context_patch_prob_truncated_full_batch.flat();
    const differences = want.map((share, patch) => Math.abs(share - (coverage.context[patch] ?? 0)));
    // One length for a whole size instead of the minimum of each batch blurs the edge where the cut falls.
    expect(Math.max(...differences)).toBeLessThan(0.06);
    expect(mean(differences)).toBeLessThan(0.012);
  });

  test("a short context is drawn again with its targets; no target is given up for it", () => {
    // At batch 1 every second draw has fewer tokens than the mean.
    const long = multiblock.plan(maskSettings(official, 1));
    const masks = sampleMultiblock(long, { seed: 0, step: 0, images: 200, firstImage: 0 });
    expect(masks.redraws).toBeGreaterThan(100);
    expect(masks.toppedUp).toBe(0);
    expect(sharedPatches(long, masks, 200)).toBe(0);
  });

  test("images are hardly ever drawn again, never topped up", () => {
    expect(coverage.redrawsPerImage).toBeLessThan(0.02);
    expect(coverage.toppedUp).toBe(0);
  });
});

test("a budget that no draw can meet is topped up from outside the block first", () => {
  // One 2×2 target on a 4×4 grid of which the context block takes all: 12 patches are free of the target.
  const settings: MultiblockSettings = {
    ...paper,
    grid: { height: 4, width: 4 },
    targets: { count: 1, scale: [0.25, 0.25], aspect: [1, 1] },
    context: { count: 1, scale: [0.25, 0.25], tokens: 12 },
    minKeep: 0,
  };
  const topped = (tokens: number) => {
    const plan = multiblock.plan({ ...settings, context: { ...settings.context, tokens } });
    const masks = sampleMultiblock(plan, { seed: 0, step: 0, images: 20, firstImage: 0 });
    return { toppedUp: masks.toppedUp, shared: sharedPatches(plan, masks, 20) };
  };
  expect(topped(4)).toEqual({ toppedUp: 0, shared: 0 });
  expect(topped(12)).toEqual({ toppedUp: 20, shared: 0 });
  expect(topped(13)).toEqual({ toppedUp: 20, shared: 20 });
  expect(topped(16)).toEqual({ toppedUp: 20, shared: 80 });
});

test("the draw that is topped up is the best of those made", () => {
  // Two 2×2 targets on 6×6 patches, all of which the context may take: 28 to 32 are left, 32 where the targets coincide.
  const plan = multiblock.plan({
    ...paper,
    grid: { height: 6, width: 6 },
    targets: { count: 2, scale: [0.12, 0.12], aspect: [1, 1] },
    context: { count: 1, scale: [1, 1], tokens: 33 },
    minKeep: 0,
  });
  const masks = sampleMultiblock(plan, { seed: 0, step: 0, images: 100, firstImage: 0 });
  expect(masks.toppedUp).toBe(100);
  expect(sharedPatches(plan, masks, 100) / 100).toBeLessThan(1.5);
});

function rows(index: Int32Array, length: number): number[][] {
  return Array.from({ length: index.length / length }, (_, row) => [
    ...index.subarray(row * length, (row + 1) * length),
  ]);
}

function expectAscending(row: readonly number[], plan: MultiblockPlan): void {
  expect(row.every((patch, i) => patch > (row[i - 1] ?? -1))).toBe(true);
  expect(row.at(-1)).toBeLessThan(plan.gridHeight * plan.gridWidth);
}

/** Context patches that a target of the same image covers. */
function sharedPatches({ contextCount }: MultiblockPlan, masks: MaskBatch, images: number): number {
  const contexts = rows(masks.contextIndex, masks.lengths.C);
  const targets = rows(masks.targetIndex, masks.lengths.U).map((patches) => new Set(patches));
  let shared = 0;
  for (let row = 0; row < contextCount * images; row++) {
    shared += contexts[row]?.filter((patch) => targets[row % images]?.has(patch)).length ?? 0;
  }
  return shared;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
