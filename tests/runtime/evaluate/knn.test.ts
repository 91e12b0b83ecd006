import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Features, shareOfEqual } from "../../../runtime/evaluate/features";
import { nearest, voteOf } from "../../../runtime/evaluate/knn";
import { gaussians, normals } from "./synthetic";

const of = (rows: readonly (readonly number[])[]): Features => ({
  images: rows.length,
  dimension: rows[0]?.length ?? 0,
  values: Float32Array.from(rows.flat()),
});

describe("neighbours", () => {
  const train = of([
    [10, 0],
    [0, 1],
    [1, 1],
    [-1, 0],
  ]);

  test("by angle, whatever the length", () => {
    const { index, similarity } = nearest(train, of([[0.1, 0]]), 4);
    expect([...index]).toEqual([0, 2, 1, 3]);
    expect([...similarity].map((value) => Number(value.toFixed(6)))).toEqual([
      1,
      Number(Math.SQRT1_2.toFixed(6)),
      0,
      -1,
    ]);
  });

  test("of equally near ones the earlier comes first", () => {
    expect([
      ...nearest(
        of([
          [0, 2],
          [1, 0],
          [0, 3],
          [0, 1],
        ]),
        of([[0, 1]]),
        2,
      ).index,
    ]).toEqual([0, 2]);
  });

  test("no more than there are, and zeros are far from everything", () => {
    const found = nearest(
      of([
        [0, 0],
        [1, 0],
      ]),
      of([[1, 0]]),
      20,
    );
    expect(found.neighbours).toBe(2);
    expect([...found.index]).toEqual([1, 0]);
    expect([...nearest(train, of([[0, 0]]), 1).similarity]).toEqual([0]);
  });

  test("of any features are the largest by a full sort", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 130 }),
        fc.integer({ min: 1, max: 25 }),
        (seed, images, k) => {
          const normal = normals(seed);
          const rows = (count: number) => of(Array.from({ length: count }, () => Array.from({ length: 5 }, normal)));
          const [references, queries] = [rows(images), rows(70)];
          const found = nearest(references, queries, k);
          const unit = ({ dimension, values }: Features, r: number): number[] => {
            const row = [...values.subarray(r * dimension, (r + 1) * dimension)];
            const length = Math.hypot(...row);
            return row.map((value) => value / length);
          };
          for (const r of [0, 63, 64, 69]) {
            const query = unit(queries, r);
            const all = Array.from({ length: images }, (_, i) =>
              unit(references, i).reduce((sum, value, c) => sum + value * (query[c] ?? 0), 0),
            ).sort((a, b) => b - a);
            const count = Math.min(k, images);
            for (let i = 0; i < count; i++)
              expect(found.similarity[r * count + i]).toBeCloseTo(all[i] ?? Number.NaN, 10);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("votes", () => {
  const vote = (similarity: number[], labels: number[], temperature: number) =>
    voteOf(
      {
        images: 1,
        neighbours: labels.length,
        index: Int32Array.from(labels.keys()),
        similarity: Float64Array.from(similarity),
      },
      Int32Array.from(labels),
      3,
      temperature,
    )[0];

  // exp((.9 − .8) / .07) = 4.17: one near neighbour weighs more than four, less than five.
  test.each([
    ["the nearest against four", [0.9, 0.8, 0.8, 0.8, 0.8], [2, 1, 1, 1, 1], 0.07, 2],
    ["the nearest against five", [0.9, 0.8, 0.8, 0.8, 0.8, 0.8], [2, 1, 1, 1, 1, 1], 0.07, 1],
    ["equal votes go to the lower class", [0.5, 0.5], [2, 1], 0.07, 1],
    ["a temperature that would overflow", [1, 0.999], [2, 1], 1e-6, 2],
  ])("%s", (_, similarity, labels, temperature, want) => {
    expect(vote(similarity, labels, temperature)).toBe(want);
  });

  test("separates what is separable, and knows nothing of what is not", () => {
    const accuracy = (distance: number): number => {
      const split = (images: number, seed: number) => gaussians({ images, dimension: 8, classes: 4, distance, seed });
      const [train, test] = [split(800, 1), split(400, 2)];
      return shareOfEqual(voteOf(nearest(train.features, test.features, 20), train.labels, 4, 0.07), test.labels);
    };
    expect(accuracy(12)).toBe(1);
    expect(accuracy(0)).toBeGreaterThan(0.15);
    expect(accuracy(0)).toBeLessThan(0.35);
  });
});
