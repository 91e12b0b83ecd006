import { describe, expect, test } from "vitest";
import { type BlockDraw, enumerateSizes, roundHalfEven, sharedSize } from "../../../runtime/masks/blocks";
import { collatorSettings, officialSettings } from "../../support/official-masks";

test.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [2.4999, 2],
  [2.5001, 3],
  [6, 6],
])("%f rounds to %i, as Python does", (x, want) => {
  expect(roundHalfEven(x)).toBe(want);
});

describe("sizes of the reference", () => {
  test.each(officialSettings)("%s: every recorded size is known, as often as it should be", (_, setting) => {
    const { grid, targetScale, targetAspect, contextScale } = collatorSettings(setting);
    const recorded = setting.stats.block_sizes_by_counter;
    for (const { draw, column } of [
      { draw: { grid, scale: targetScale, aspect: targetAspect, maySpan: false }, column: 0 },
      { draw: { grid, scale: contextScale, aspect: [1, 1], maySpan: false }, column: 2 },
    ] as const) {
      const sizes = enumerateSizes(draw, { shared: true });
      expect(total(sizes)).toBeCloseTo(1, 12);
      const counts = new Map<string, number>();
      for (const sizesOfBatch of recorded) {
        const key = `${sizesOfBatch[column]}x${sizesOfBatch[column + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      const known = new Set(sizes.map(({ height, width }) => `${height}x${width}`));
      expect([...counts.keys()].filter((key) => !known.has(key))).toEqual([]);
      for (const { height, width, probability } of sizes) {
        const want = recorded.length * probability;
        const spread = 5 * Math.sqrt(want * (1 - probability)) + 1;
        expect(Math.abs((counts.get(`${height}x${width}`) ?? 0) - want)).toBeLessThan(spread);
      }
    }
  });

  test("probabilities are exact: every one of the 2²⁴ uniform numbers is counted", () => {
    const draw: BlockDraw = { grid: { height: 14, width: 14 }, scale: [0.2, 0.8], aspect: [0.3, 3], maySpan: false };
    const counts = new Map<number, number>();
    for (let i = 0; i < 2 ** 24; i++) {
      const { height, width } = sharedSize(draw, i / 2 ** 24);
      counts.set(height * 100 + width, (counts.get(height * 100 + width) ?? 0) + 1);
    }
    const want = [...counts].map(([key, count]): [number, number] => [key, count / 2 ** 24]);
    const got = enumerateSizes(draw, { shared: true }).map(({ height, width, probability }): [number, number] => [
      height * 100 + width,
      probability,
    ]);
    expect(new Map(got)).toEqual(new Map(want));
  });
});

describe("sizes without the reference's quirks", () => {
  const grid = { height: 16, width: 16 };

  test("scale and aspect ratio are independent: as often as two uniform numbers give", () => {
    const draw: BlockDraw = { grid, scale: [0.15, 0.2], aspect: [0.75, 1.5], maySpan: true };
    const steps = 1024;
    const counts = new Map<string, number>();
    for (let i = 0; i < steps; i++) {
      const area = Math.trunc(256 * (0.15 + ((i + 0.5) / steps) * (0.2 - 0.15)));
      for (let j = 0; j < steps; j++) {
        const aspect = 0.75 + ((j + 0.5) / steps) * 0.75;
        const key = `${roundHalfEven(Math.sqrt(area * aspect))}x${roundHalfEven(Math.sqrt(area / aspect))}`;
        counts.set(key, (counts.get(key) ?? 0) + 1 / steps ** 2);
      }
    }
    const sizes = enumerateSizes(draw, { shared: false });
    expect(total(sizes)).toBeCloseTo(1, 12);
    expect(new Set(sizes.map(({ height, width }) => `${height}x${width}`))).toEqual(new Set(counts.keys()));
    for (const { height, width, probability } of sizes) {
      expect(Math.abs(probability - (counts.get(`${height}x${width}`) ?? 0))).toBeLessThan(0.003);
    }
  });

  test("blocks may span the grid", () => {
    expect(enumerateSizes({ grid, scale: [1, 1], aspect: [1, 1], maySpan: true }, { shared: false })).toEqual([
      { height: 16, width: 16, probability: 1 },
    ]);
    expect(enumerateSizes({ grid, scale: [1, 1], aspect: [1, 1], maySpan: false }, { shared: true })).toEqual([
      { height: 15, width: 15, probability: 1 },
    ]);
  });
});

function total(sizes: readonly { readonly probability: number }[]): number {
  return sizes.reduce((sum, { probability }) => sum + probability, 0);
}
