import { describe, expect, test } from "vitest";
import { collapseSignals, rankMe, singularValues } from "../../../runtime/evaluate/collapse";
import type { Features } from "../../../runtime/evaluate/features";
import { normals, waves } from "./synthetic";

const of = (rows: readonly (readonly number[])[]): Features => ({
  images: rows.length,
  dimension: rows[0]?.length ?? 0,
  values: Float32Array.from(rows.flat()),
});

describe("RankMe", () => {
  test("by hand: singular values 3 and 1 are shares ¾ and ¼, each + 10⁻⁵", () => {
    const wanted = Math.exp(-(0.75001 * Math.log(0.75001) + 0.25001 * Math.log(0.25001)));
    expect(wanted).toBeCloseTo(1.75476, 5);
    expect(
      collapseSignals(
        of([
          [3, 0],
          [0, 1],
        ]),
      ).rankMe,
    ).toBeCloseTo(wanted, 10);
    expect(
      collapseSignals(
        of([
          [0, 3],
          [-1, 0],
          [0, 0],
        ]),
      ).rankMe,
    ).toBeCloseTo(wanted, 10);
  });

  // Computed with numpy: exp of the entropy of numpy.linalg.svd of the same matrix.
  test.each([
    [40, 6, 5.993279570498481],
    [5, 9, 4.879555016204879],
  ])("of a %i×%i matrix as numpy has it", (images, dimension, want) => {
    expect(rankMe(singularValues(waves(images, dimension)))).toBeCloseTo(want, 6);
  });

  test("singular values as numpy has them", () => {
    const want = [4.66713164, 4.66643356, 4.5113307, 4.37640764, 4.27149235, 4.07444015];
    expect([...singularValues(waves(40, 6))].map((value) => Number(value.toFixed(8)))).toEqual(want);
  });

  test.each([1, 2, 5])("of %i independent directions among 32 features is near their number", (rank) => {
    const normal = normals(rank);
    const directions = Array.from({ length: rank }, () => Array.from({ length: 32 }, normal));
    const rows = Array.from({ length: 2000 }, () => {
      const weights = Array.from({ length: rank }, normal);
      return Array.from({ length: 32 }, (_, c) =>
        weights.reduce((sum, w, k) => sum + w * (directions[k]?.[c] ?? 0), 0),
      );
    });
    const found = collapseSignals(of(rows)).rankMe;
    // 10⁻⁵ for each of the 32 singular values adds less than 0.4 %.
    expect(found).toBeLessThan(rank * 1.005);
    expect(found).toBeGreaterThan(rank * 0.95);
  });

  test("of nothing is 0", () => {
    expect(rankMe(new Float64Array(4))).toBe(0);
  });
});

describe("feature spread", () => {
  test("is the mean of the standard deviations", () => {
    expect(
      collapseSignals(
        of([
          [1, 10],
          [3, 10],
        ]),
      ).featureSpread,
    ).toBe(0.5);
  });

  test("is 0 where all images look the same, and does not drown in a large mean", () => {
    expect(
      collapseSignals(
        of([
          [7, 7],
          [7, 7],
        ]),
      ).featureSpread,
    ).toBe(0);
    expect(
      collapseSignals(
        of([
          [4096, 4096],
          [4097, 4097],
        ]),
      ).featureSpread,
    ).toBe(0.5);
  });
});
