import { describe, expect, test } from "vitest";
import type { VisiblePlan } from "../../../runtime/masks/plan";
import { drawPatches } from "../../../runtime/masks/random";
import { testSeed } from "../../support/seed";

const plan: VisiblePlan = {
  gridHeight: 3,
  gridWidth: 4,
  targetCount: 1,
  unit: 1,
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

  test("squares of patches are seen or masked as one, each as likely as any other", () => {
    const programs = [{ contextTokens: 8, targetTokens: 16, probability: 1 }];
    const squares = drawPatches(
      { gridHeight: 4, gridWidth: 6, targetCount: 1, unit: 2, programs },
      { seed, step: 2, images: 400, firstImage: 0 },
    );
    const hidden = rowsOf(squares.masked, 16);
    const squareOf = (patch: number): number => 3 * Math.floor(patch / 12) + Math.floor((patch % 6) / 2);
    const counts = new Array<number>(6).fill(0);
    for (const [i, seen] of rowsOf(squares.visible, 8).entries()) {
      expect([...seen, ...(hidden[i] ?? [])].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 24 }, (_, patch) => patch),
      );
      const ofImage = new Set(seen.map(squareOf));
      expect(ofImage.size).toBe(2);
      for (const square of ofImage) counts[square] = (counts[square] ?? 0) + 1;
    }
    // 133 of 400 images each; six standard deviations of that are 57.
    for (const count of counts) expect(Math.abs(count - 400 / 3)).toBeLessThan(57);
  });
});
