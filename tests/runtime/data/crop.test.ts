import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Box, evaluationCrop, middleCrop, randomCrop, roundHalfEven } from "../../../runtime/data/crop";
import type { Random } from "../../../runtime/random/random";
import { randomAt } from "../../../runtime/random/random";

const plan = { cropScale: [0.3, 1], cropAspect: [3 / 4, 4 / 3], horizontalFlip: false } as const;

/** Plays back numbers; an integer below n is the next number times n. */
function played(numbers: readonly number[]): Random {
  let at = 0;
  const next = (): number => {
    const number = numbers[at++];
    if (number === undefined) throw new Error("the test gave too few numbers");
    return number;
  };
  return { ...randomAt({ seed: 0, purpose: "test" }), uniform: next, integer: (n) => Math.floor(next() * n) };
}

const box = (left: number, top: number, width: number, height: number): Box => ({ left, top, width, height });

describe("random resized crop, by hand", () => {
  // Area .3 + .7·u of the image, aspect (3/4)·(16/9)^u; then top, left.
  const cases = [
    { size: [100, 100], draws: [0, 0.5, 0, 0], want: box(0, 0, 55, 55), why: "√3000 = 54.8" },
    { size: [100, 100], draws: [0, 0.5, 0.5, 0.999], want: box(45, 23, 55, 55), why: "46 places each way" },
    { size: [100, 100], draws: [0, 0, 0, 0], want: box(0, 0, 47, 63), why: "aspect 3/4: √2250, √4000" },
    { size: [100, 100], draws: [0, 1, 0, 0], want: box(0, 0, 63, 47), why: "aspect 4/3" },
    {
      size: [100, 100],
      draws: [1, 0, 0, 0.5, 0.9, 0.9],
      want: box(41, 41, 55, 55),
      why: "the first is too high (115) and draws no place",
    },
  ] as const;
  for (const { size, draws, want, why } of cases) {
    test(`${size.join("×")} with ${draws.join(", ")}: ${why}`, () => {
      expect(randomCrop(played(draws), { width: size[0], height: size[1] }, plan)).toEqual(want);
    });
  }

  test("after ten boxes that do not fit, the middle of the image", () => {
    const full = { ...plan, cropScale: [1, 1] } as const;
    const draws = Array.from({ length: 20 }, () => 0.5);
    expect(randomCrop(played(draws), { width: 200, height: 50 }, full)).toEqual(box(66, 0, 67, 50));
  });
});

describe("middle crop", () => {
  const cases = [
    { given: [100, 100], want: box(0, 0, 100, 100), why: "within the range: all of it" },
    { given: [200, 100], want: box(33, 0, 133, 100), why: "too wide: 4/3 of the height" },
    { given: [90, 200], want: box(0, 40, 90, 120), why: "too high: 4/3 of the width" },
  ] as const;
  for (const { given, want, why } of cases) {
    test(`${given.join("×")}: ${why}`, () => {
      expect(middleCrop({ width: given[0], height: given[1] }, 3 / 4, 4 / 3)).toEqual(want);
    });
  }
});

describe("evaluation crop", () => {
  const cases = [
    { given: [256, 256], to: [224, 224], want: box(16, 16, 224, 224) },
    { given: [512, 256], to: [224, 224], want: box(144, 16, 224, 224) },
    { given: [300, 400], to: [64, 64], want: box(19, 69, 263, 263) },
    { given: [1, 1], to: [64, 64], want: box(0, 0, 1, 1) },
  ] as const;
  for (const { given, to, want } of cases) {
    test(`${given.join("×")} for ${to.join("×")}`, () => {
      const size = { width: given[0], height: given[1] };
      expect(evaluationCrop(size, { width: to[0], height: to[1] })).toEqual(want);
    });
  }
});

test("every box lies in the image", () => {
  const side = fc.integer({ min: 1, max: 400 });
  fc.assert(
    fc.property(side, side, fc.nat(), (width, height, sample) => {
      const got = randomCrop(randomAt({ seed: 1, purpose: "test", sample }), { width, height }, plan);
      expect(Object.values(got).every(Number.isInteger)).toBe(true);
      expect(Math.min(got.left, got.top)).toBeGreaterThanOrEqual(0);
      expect(Math.min(got.width, got.height)).toBeGreaterThanOrEqual(1);
      expect(got.left + got.width).toBeLessThanOrEqual(width);
      expect(got.top + got.height).toBeLessThanOrEqual(height);
    }),
  );
});

test("half rounds to the even neighbour, as in Python", () => {
  expect([0.5, 1.5, 2.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3]);
});
