import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { philoxBlocks } from "../../../runtime/random/philox";
import { randomAt, type StreamName } from "../../../runtime/random/random";

describe("Philox4x32-10", () => {
  // Known answers published with the generator (Random123, kat_vectors).
  const ones = 0xffffffff;
  test.each([
    { counter: [0, 0, 0, 0], key: [0, 0], want: "6627e8d5 e169c58d bc57ac4c 9b00dbd8" },
    { counter: [ones, ones, ones, ones], key: [ones, ones], want: "408f276d 41c83b0e a20bc7c6 6d5451fd" },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      want: "d16cfe09 94fdcceb 5001e420 24126ea1",
    },
  ] as const)("$want", ({ counter: [c0, c1, c2, c3], key: [k0, k1], want }) => {
    const out = new Uint32Array(4);
    philoxBlocks(out, { k0, k1 }, { c1, c2, c3 }, c0);
    expect([...out].map((word) => word.toString(16).padStart(8, "0")).join(" ")).toBe(want);
  });
});

describe("streams", () => {
  const name: StreamName = { seed: 1, purpose: "test", step: 2, sample: 3 };
  const first = (stream: StreamName) =>
    Array.from(
      { length: 8 },
      (
        (random) => () =>
          random.uint32()
      )(randomAt(stream)),
    );

  test("are the same for the same name, and stay what they were in every version", () => {
    expect(first(name)).toEqual(first(name));
    expect(first(name)).toMatchInlineSnapshot(`
      [
        2301958282,
        1742286483,
        1556144581,
        2967883451,
        1597476281,
        1297575490,
        2133554441,
        145768899,
      ]
    `);
    const normals = new Float32Array(4);
    randomAt(name).fillNormal(normals, 1);
    expect([...normals]).toMatchInlineSnapshot(`
      [
        -1.3623825311660767,
        1.142152190208435,
        0.7668799757957458,
        -0.7001057267189026,
      ]
    `);
  });

  test.each<Partial<StreamName>>([
    { seed: 2 },
    { seed: 1 + 2 ** 32 },
    { purpose: "tesu" },
    { purpose: "Test" },
    { step: 3 },
    { sample: 4 },
    { sample: 3 + 2 ** 32 },
  ])("differ where %o differs", (change) => {
    const [a, b] = [first(name), first({ ...name, ...change })];
    expect(a.filter((word, i) => word === b[i])).toEqual([]);
  });

  test("step and sample do not stand for each other", () => {
    expect(first({ ...name, step: 3, sample: 2 })).not.toEqual(first(name));
  });

  test("filling with normal numbers does not depend on the length", () => {
    const [short, long] = [new Float32Array(1000), new Float32Array(5000)];
    randomAt(name).fillNormal(short, 2);
    randomAt(name).fillNormal(long, 2);
    expect(long.subarray(0, 1000)).toEqual(short);
  });
});

describe("distributions", () => {
  const count = 400_000;

  test("uniform numbers fill [0, 1) evenly", () => {
    const random = randomAt({ seed: 5, purpose: "uniform" });
    const bins = new Float64Array(64);
    for (let i = 0; i < count; i++) {
      const u = random.uniform();
      bins[Math.floor(u * 64)] = (bins[Math.floor(u * 64)] ?? 0) + 1;
    }
    expect(bins.reduce((sum, bin) => sum + bin, 0)).toBe(count);
    for (const bin of bins) expectShare(bin, count, 1 / 64);
  });

  test.each([1, 2, 7, 10, 255, 1000])("whole numbers below %i are equally likely", (n) => {
    const random = randomAt({ seed: 6, purpose: "integer" });
    const bins = new Float64Array(n);
    for (let i = 0; i < count; i++) {
      const value = random.integer(n);
      bins[value] = (bins[value] ?? 0) + 1;
    }
    for (const bin of bins) expectShare(bin, count, 1 / n);
  });

  test("normal numbers follow the normal distribution, tails included", () => {
    const values = new Float32Array(2_000_000);
    randomAt({ seed: 7, purpose: "normal" }).fillNormal(values, 1);
    const edges = [-6, ...Array.from({ length: 81 }, (_, i) => -4 + i / 10), 6];
    for (const [i, from] of edges.slice(0, -1).entries()) {
      const to = edges[i + 1] ?? 0;
      const inside = values.reduce((n, value) => n + Number(value >= from && value < to), 0);
      expectShare(inside, values.length, normalShare(from, to));
    }
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0, 2);
  });

  test("single normal numbers follow it too", () => {
    const random = randomAt({ seed: 8, purpose: "normal" });
    let [sum, squares, fourth] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      const x = random.normal();
      sum += x;
      squares += x * x;
      fourth += x ** 4;
    }
    expect(Math.abs(sum / count)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(squares / count - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(count));
    expect(Math.abs(fourth / count - 3)).toBeLessThan((5 * Math.sqrt(96)) / Math.sqrt(count));
  });

  test("every order of three is equally likely", () => {
    const random = randomAt({ seed: 9, purpose: "shuffle" });
    const orders = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const order = random.shuffle([0, 1, 2]).join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const times of orders.values()) expectShare(times, 60_000, 1 / 6);
  });

  test("shuffling keeps the items", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);
        expect(sorted(randomAt({ seed, purpose: "s" }).shuffle([...items]))).toEqual(sorted(items));
      }),
    );
  });
});

/** Within five standard deviations of what a fair draw gives. */
function expectShare(times: number, draws: number, probability: number): void {
  const want = draws * probability;
  expect(Math.abs(times - want)).toBeLessThanOrEqual(5 * Math.sqrt(want * (1 - probability)) + 1e-9);
}

/** The probability of [from, to) by Simpson's rule. */
function normalShare(from: number, to: number): number {
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const parts = 400;
  const step = (to - from) / parts;
  let sum = 0;
  for (let i = 0; i <= parts; i++) sum += (i === 0 || i === parts ? 1 : i % 2 === 1 ? 4 : 2) * density(from + i * step);
  return (sum * step) / 3;
}
