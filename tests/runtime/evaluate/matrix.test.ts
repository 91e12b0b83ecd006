import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { symmetricEigenvalues } from "../../../runtime/evaluate/eigenvalues";
import {
  cholesky,
  choleskySolve,
  gramOf,
  type Matrix,
  matrix,
  productNT,
  transposed,
} from "../../../runtime/evaluate/matrix";
import { normals } from "./synthetic";

function random(rows: number, columns: number, seed: number): Matrix {
  const normal = normals(seed);
  return { rows, columns, values: new Float64Array(rows * columns).map(normal) };
}

function at({ columns, values }: Matrix, r: number, c: number): number {
  return values[r * columns + c] ?? Number.NaN;
}

/** a · bᵀ by the definition. */
function slowNT(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let p = 0; p < a.columns; p++) sum += at(a, i, p) * at(b, j, p);
      out.values[i * b.rows + j] = sum;
    }
  }
  return out;
}

function expectClose(found: Matrix, wanted: Matrix): void {
  expect([found.rows, found.columns]).toEqual([wanted.rows, wanted.columns]);
  let worst = 0;
  for (const [i, value] of found.values.entries()) worst = Math.max(worst, Math.abs(value - (wanted.values[i] ?? 0)));
  expect(worst).toBeLessThan(1e-10);
}

const sizes = fc.record({
  m: fc.integer({ min: 1, max: 70 }),
  n: fc.integer({ min: 1, max: 70 }),
  k: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 250, max: 270 })),
  seed: fc.integer(),
});

describe("products", () => {
  test("a · bᵀ of any size", () => {
    fc.assert(
      fc.property(sizes, ({ m, n, k, seed }) => {
        const [a, b, out] = [random(m, k, seed), random(n, k, seed + 1), matrix(m, n)];
        out.values.fill(9);
        productNT(a, b, out);
        expectClose(out, slowNT(a, b));
      }),
      { numRuns: 40 },
    );
  });

  test("a · aᵀ of any size", () => {
    fc.assert(
      fc.property(sizes, ({ m, k, seed }) => {
        const a = random(m, k, seed);
        expectClose(gramOf(a), slowNT(a, a));
      }),
      { numRuns: 40 },
    );
  });

  test("sizes that do not fit are our mistake", () => {
    expect(() => productNT(matrix(2, 3), matrix(2, 4), matrix(2, 2))).toThrow(/^internal: \[2, 3\]/);
  });

  test("transposed", () => {
    const a = random(37, 45, 1);
    const t = transposed(a);
    for (let r = 0; r < 37; r++) for (let c = 0; c < 45; c++) expect(at(t, c, r)).toBe(at(a, r, c));
  });
});

describe("Cholesky", () => {
  test.each([1, 2, 7, 40])("solves a system of %i unknowns", (n) => {
    const a = gramOf(random(n, n, n));
    const x = random(1, n, 99);
    const shifted = { ...a, values: a.values.map((value, i) => value + (i % (n + 1) === 0 ? 0.5 : 0)) };
    const b = new Float64Array(n + 2);
    b.set(slowNT(x, shifted).values, 1);
    choleskySolve(cholesky(a, 0.5), b, 1);
    for (let i = 0; i < n; i++) expect(b[i + 1]).toBeCloseTo(at(x, 0, i), 8);
    expect([b[0], b[n + 1]]).toEqual([0, 0]);
  });

  test("refuses what is not positive definite", () => {
    expect(() => cholesky({ rows: 1, columns: 1, values: new Float64Array([-1]) }, 0.5)).toThrow(/^internal:/);
  });
});

describe("eigenvalues", () => {
  test.each([
    ["1×1", [[3]], [3]],
    [
      "diagonal",
      [
        [1, 0, 0],
        [0, -4, 0],
        [0, 0, 2],
      ],
      [2, 1, -4],
    ],
    [
      "[[2,1],[1,2]]",
      [
        [2, 1],
        [1, 2],
      ],
      [3, 1],
    ],
    [
      "all ones",
      [
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ],
      [3, 0, 0],
    ],
    [
      "zero",
      [
        [0, 0],
        [0, 0],
      ],
      [0, 0],
    ],
    [
      "a block and a number",
      [
        [0, 1, 0],
        [1, 0, 0],
        [0, 0, 5],
      ],
      [5, 1, -1],
    ],
  ])("%s", (_, rows, want) => {
    const found = symmetricEigenvalues({
      rows: rows.length,
      columns: rows.length,
      values: Float64Array.from(rows.flat()),
    });
    for (const [i, value] of want.entries()) expect(found[i]).toBeCloseTo(value, 12);
  });

  test("of the second difference, 2 − 2·cos(kπ / (n+1))", () => {
    const n = 50;
    const a = matrix(n, n);
    for (let i = 0; i < n; i++) {
      a.values[i * n + i] = 2;
      if (i > 0) a.values[i * n + i - 1] = a.values[(i - 1) * n + i] = -1;
    }
    const found = symmetricEigenvalues(a);
    for (let k = 1; k <= n; k++) expect(found[n - k]).toBeCloseTo(2 - 2 * Math.cos((k * Math.PI) / (n + 1)), 12);
  });

  test("of any Q·Λ·Qᵀ, with the sum and sum of squares of its entries", () => {
    const lambdas = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(lambdas, fc.integer(), (list, seed) => {
        const n = list.length;
        const normal = normals(seed);
        let a = matrix(n, n);
        for (const [i, value] of list.entries()) a.values[i * n + i] = value;
        // Two reflections H = 1 − 2vvᵀ/vᵀv on both sides.
        for (let round = 0; round < 2; round++) {
          const v = new Float64Array(n).map(normal);
          const square = v.reduce((sum, value) => sum + value * value, 0);
          const h = matrix(n, n);
          for (let r = 0; r < n; r++)
            for (let c = 0; c < n; c++)
              h.values[r * n + c] = (r === c ? 1 : 0) - (2 * (v[r] ?? 0) * (v[c] ?? 0)) / square;
          a = slowNT(slowNT(h, a), h);
        }
        const found = symmetricEigenvalues(a);
        const want = [...list].sort((x, y) => y - x);
        for (const [i, value] of want.entries()) expect(Math.abs((found[i] ?? 0) - value)).toBeLessThan(1e-8);
      }),
      { numRuns: 60 },
    );
  });
});
