import { describe, expect, test } from "vitest";
import { drawBlocks } from "../../../runtime/masks/blockwise";
import type { BlockwisePlan } from "../../../runtime/masks/plan";
import { testSeed } from "../../support/seed";

const SIDE = 14;
const plan: BlockwisePlan = {
  gridHeight: SIDE,
  gridWidth: SIDE,
  targetCount: 1,
  programs: [{ contextTokens: 76, targetTokens: 120, probability: 1 }],
  blocks: { smallest: 16, aspect: [0.3, 1 / 0.3] },
};
const IMAGES = 300;
const seed = testSeed;
const rowsOf = (values: Int32Array, length: number): number[][] =>
  Array.from({ length: values.length / length }, (_, i) => [...values.subarray(i * length, (i + 1) * length)]);

/** Share of masked patches among the right-hand neighbours of masked patches. */
function cohesion(masked: readonly number[]): number {
  const isMasked = new Set(masked);
  const inner = masked.filter((patch) => patch % SIDE < SIDE - 1);
  return inner.filter((patch) => isMasked.has(patch + 1)).length / inner.length;
}

describe(`patches in blocks (seed ${seed})`, () => {
  const draw = drawBlocks(plan, { seed, step: 2, images: IMAGES, firstImage: 0 });
  const masks = rowsOf(draw.masked, 120);

  test("every patch of an image is visible or masked, once, in ascending order; as many are masked in every image", () => {
    expect(draw.lengths).toMatchObject({ C: 76, T: 120 });
    for (const [i, seen] of rowsOf(draw.visible, 76).entries()) {
      const hidden = masks[i] ?? [];
      expect([...seen].sort((a, b) => a - b)).toEqual(seen);
      expect([...hidden].sort((a, b) => a - b)).toEqual(hidden);
      expect([...seen, ...hidden].sort((a, b) => a - b)).toEqual(Array.from({ length: SIDE ** 2 }, (_, at) => at));
    }
  });

  test("masked patches lie together", () => {
    // Of patches masked one by one 0.61 of the neighbours are masked.
    const mean = masks.reduce((sum, masked) => sum + cohesion(masked), 0) / IMAGES;
    expect(mean).toBeGreaterThan(0.8);
    expect(mean).toBeLessThan(0.97);
  });

  test("every part of an image is masked in some and seen in others", () => {
    const counts = new Array<number>(SIDE ** 2).fill(0);
    for (const patch of draw.masked) counts[patch] = (counts[patch] ?? 0) + 1;
    // Corners lie in fewer blocks than the middle.
    expect(Math.min(...counts)).toBeGreaterThan(0.02 * IMAGES);
    expect(Math.max(...counts)).toBeLessThan(0.95 * IMAGES);
  });

  test("an image has the same patches however its batch is divided, and others in another step", () => {
    const part = drawBlocks(plan, { seed, step: 2, images: 4, firstImage: 8 });
    expect(rowsOf(part.masked, 120)).toEqual(masks.slice(8, 12));
    const other = drawBlocks(plan, { seed, step: 3, images: 4, firstImage: 8 });
    expect(rowsOf(other.masked, 120)).not.toEqual(masks.slice(8, 12));
  });

  test.each([
    ["blocks larger than the grid", { smallest: 196, aspect: [1, 1] as const }, 100],
    ["blocks that never fit", { smallest: 1, aspect: [100, 100] as const }, 3],
    ["one patch", { smallest: 16, aspect: [1, 1] as const }, 1],
    ["all but one", { smallest: 1, aspect: [1, 1] as const }, 195],
  ])("%s: as many are masked as shall be", (_, blocks, count) => {
    const programs = [{ contextTokens: SIDE ** 2 - count, targetTokens: count, probability: 1 }];
    const { masked } = drawBlocks({ ...plan, blocks, programs }, { seed, step: 0, images: 20, firstImage: 0 });
    for (const row of rowsOf(masked, count)) expect(new Set(row).size).toBe(count);
  });
});
