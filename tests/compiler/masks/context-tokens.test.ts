import { describe, expect, test } from "vitest";
import { drawLengths, meanOfShortest } from "../../../compiler/masks/context-tokens";
import type { MultiblockSettings } from "../../../compiler/masks/settings";
import { ImageDrawer } from "../../../runtime/masks/strategies/multiblock-draw";
import { randomAt } from "../../../runtime/random/random";
import { maskSettings, officialSettings } from "../../support/official-masks";

describe("context tokens of the reference", () => {
  test.each(officialSettings)("%s: untruncated and after the cut, at every recorded batch size", (_, setting) => {
    const { n_batches, block_sizes_by_counter, context_len_by_batch_size, context_len_untruncated } = setting.stats;
    const settings = maskSettings(setting, 1);
    // The recorded batches drew their sizes; what is compared here are the lengths that follow.
    const pairs = new Map<string, { counts: Uint32Array; share: number }>();
    for (const [targetHeight, targetWidth, contextHeight, contextWidth] of block_sizes_by_counter) {
      const key = [targetHeight, targetWidth, contextHeight, contextWidth].join();
      const sizes = {
        target: { height: targetHeight, width: targetWidth },
        context: { height: contextHeight, width: contextWidth },
      };
      let pair = pairs.get(key);
      if (pair === undefined) {
        const counts = drawLengths(settings, sizes, { images: 4096, wanted: settings.minKeep + 1 });
        pair = { counts, share: 0 };
        pairs.set(key, pair);
      }
      pair.share += 1 / n_batches;
    }
    const expected = (batch: number) =>
      [...pairs.values()].reduce((sum, { counts, share }) => sum + share * meanOfShortest(counts, batch), 0);
    for (const [batch, { mean, std }] of Object.entries(context_len_by_batch_size)) {
      expect(Math.abs(expected(Number(batch)) - mean), `batch ${batch}`).toBeLessThanOrEqual(
        (4 * std) / Math.sqrt(n_batches) + 0.002 * mean,
      );
    }
    if (settings.context.count === 1) {
      expect(Math.abs(expected(1) / context_len_untruncated.mean - 1)).toBeLessThan(0.005);
    }
  });
});

test("the mean of the shortest, over all choices", () => {
  // Lengths 1, 2, 2, 4; pairs: (1,2) (1,2) (1,4) (2,2) (2,4) (2,4) → shortest 1, 1, 1, 2, 2, 2.
  const counts = Uint32Array.of(0, 1, 2, 0, 1);
  expect(meanOfShortest(counts, 1)).toBeCloseTo(9 / 4, 12);
  expect(meanOfShortest(counts, 2)).toBeCloseTo(9 / 6, 12);
  expect(meanOfShortest(counts, 4)).toBeCloseTo(1, 12);
});

test("what was drawn before does not matter: a row is the same in any order and at any length", () => {
  const settings: MultiblockSettings = {
    strategy: "multiblock",
    grid: { height: 8, width: 8 },
    sampler: "reference",
    targets: { count: 4, scale: [0.2, 0.3], aspect: [0.75, 1.5] },
    context: { count: 1, scale: [0.85, 1], tokens: "auto" },
    minKeep: 8,
    allowOverlap: false,
    drawnTogether: 16,
  };
  const sizes = { target: { height: 4, width: 4 }, context: { height: 7, width: 7 } };
  /** The lengths themselves, from a drawer of their own. */
  const lengths = (images: number, wanted: number): Uint32Array => {
    const drawer = new ImageDrawer({
      gridHeight: 8,
      gridWidth: 8,
      sampler: "reference",
      targetCount: 4,
      contextCount: 1,
      allowOverlap: false,
    });
    const random = randomAt({ seed: 0, purpose: "plan.context 4x4 7x7" });
    const counts = new Uint32Array(65);
    for (let i = 0; i < images; i++) {
      const { shortest } = drawer.draw(random, sizes, wanted);
      counts[shortest] = (counts[shortest] ?? 0) + 1;
    }
    return counts;
  };
  for (const [images, wanted] of [
    [1000, 9],
    [10, 9],
    [3000, 9],
    [500, 5],
    [1000, 9],
  ] as const) {
    expect(drawLengths(settings, sizes, { images, wanted })).toEqual(lengths(images, wanted));
  }
  // Hard to place: what is drawn stops early, also where more of it is known from before.
  const hard = { ...settings, targets: { ...settings.targets, count: 12 } };
  const most = { images: 2000, wanted: 40 };
  const early = drawLengths(hard, sizes, { ...most, leastImages: 20 });
  drawLengths(hard, sizes, most);
  expect(drawLengths(hard, sizes, { ...most, leastImages: 20 })).toEqual(early);
  expect(early.reduce((sum, count) => sum + count, 0)).toBeLessThan(2000);
});
