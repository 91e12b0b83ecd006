import { describe, expect, it } from "vitest";
import { median, shareError, spreadOf, student95, welch95 } from "../../../../tools/sweep/results/statistics";

describe("the spread of a few values", () => {
  it.each([
    [[3], { n: 1, mean: 3, sd: null, standardError: null, min: 3, max: 3 }],
    [[0.1, 0.1, 0.1], { n: 3, mean: 0.1, sd: 0, standardError: 0, min: 0.1, max: 0.1 }],
    [[1, 3], { n: 2, mean: 2, sd: Math.SQRT2, standardError: 1, min: 1, max: 3 }],
    // Their squares are around 10^18, where a sum of squares less a square of the sum keeps nothing.
    [
      [1e9 + 1, 1e9 + 2, 1e9 + 3],
      { n: 3, mean: 1e9 + 2, sd: 1, standardError: 1 / Math.sqrt(3), min: 1e9 + 1, max: 1e9 + 3 },
    ],
  ])("of %j", (values, want) => {
    expect(spreadOf(values)).toEqual(want);
  });

  it("is none of nothing", () => {
    expect(spreadOf([])).toBeNull();
  });

  it.each([
    [[], null],
    [[5], 5],
    [[9, 1, 5], 5],
    [[9, 1, 5, 6], 5.5],
  ])("has a median: %j → %s", (values, want) => {
    expect(median(values)).toBe(want);
  });
});

describe("what a difference has to exceed", () => {
  it.each([
    [1, 12.706],
    [2, 4.303],
    [2.9, 4.303],
    [3 - 1e-12, 3.182],
    [30, 2.042],
    [1e9, 2.042],
    [0.2, 12.706],
  ])("for %f degrees of freedom: %f", (degrees, want) => {
    expect(student95(degrees)).toBe(want);
  });

  it("is Welch's interval", () => {
    const [a, b] = [spreadOf([1, 3]), spreadOf([10, 12])];
    if (a === null || b === null) throw new Error("no spread");
    // Equal spreads of two pairs: 2 degrees of freedom, error √(1² + 1²).
    expect(welch95(a, b)).toBeCloseTo(4.303 * Math.SQRT2, 12);
    expect(welch95(b, a)).toBe(welch95(a, b));
  });

  it("is not known of single values, and nothing between values without spread", () => {
    const [single, same] = [spreadOf([1]), spreadOf([2, 2])];
    if (single === null || same === null) throw new Error("no spread");
    expect(welch95(single, same)).toBeNull();
    expect(welch95(same, same)).toBe(0);
  });

  it("of a share is the error of a binomial", () => {
    expect(shareError(0.5, 100)).toBe(0.05);
    expect(shareError(1, 100)).toBe(0);
  });
});
