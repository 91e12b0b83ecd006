import { describe, expect, test } from "vitest";
import type { VisiblePlan } from "../../../runtime/masks/plan";
import { drawPatches } from "../../../runtime/masks/random";
import { testSeed } from "../../support/seed";

const plan: VisiblePlan = {
  gridHeight: 3,
  gridWidth: 4,
  targetCount: 1,
  programs: [{ contextTokens: 3, targetTokens: 9, probability: 1 }],
};
const seed = testSeed;
const rowsOf = (values: Int32Array, length: number): number[][] =>
  Array.from({ length: values.length / length }, (_, i) => [...values.subarray(i * length, (i + 1) * length)]);

describe(`patches at random (seed ${seed})`, () => {
  const { lengths, visible, masked } = drawPatches(plan, { seed, step: 2, images: 400, firstImage: 0 });

  test("every patch of an image is visible or masked, once, in ascending order", () => {
    expect(lengths).toEqual({ C: 3, T: 9, S: 12, U: 9 });
    const hidden = rowsOf(masked, 9);
    for (const [i, seen] of rowsOf(visible, 3).entries()) {
      expect([...seen].sort((a, b) => a - b)).toEqual(seen);
      expect([...seen, ...(hidden[i] ?? [])].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 12 }, (_, patch) => patch),
      );
    }
  });

  test("every patch is as likely as any other", () => {
    const counts = new Array<number>(12).fill(0);
    for (const patch of visible) counts[patch] = (counts[patch] ?? 0) + 1;
    // 100 of 400 images each; six standard deviations of that are 52.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(52);
  });

  test("an image has the same patches however its batch is divided", () => {
    const part = drawPatches(plan, { seed, step: 2, images: 4, firstImage: 8 });
    expect(rowsOf(part.visible, 3)).toEqual(rowsOf(visible, 3).slice(8, 12));
    const other = drawPatches(plan, { seed, step: 3, images: 4, firstImage: 8 });
    expect(other.visible).not.toEqual(part.visible);
  });
});
