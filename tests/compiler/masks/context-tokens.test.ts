import { describe, expect, test } from "vitest";
import { drawLengths, meanOfShortest } from "../../../compiler/masks/context-tokens";
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
