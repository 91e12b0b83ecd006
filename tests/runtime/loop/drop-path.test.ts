import { describe, expect, it } from "vitest";
import { dropPathFactors, dropPathRate } from "../../../runtime/loop/drop-path";

const batch = { images: 4000, contexts: 1, firstImage: 0, globalBatch: 4000 };
const settings = { seed: 3, step: 5, ...batch, depth: 3, rate: 0.3 };

/** Factors of both branches of every block, in order. */
const branches = (of: Parameters<typeof dropPathFactors>[0]): readonly Float32Array[] =>
  (dropPathFactors(of) ?? []).flatMap(({ attn, mlp }) => [attn, mlp]);

describe("stochastic depth", () => {
  const rates: readonly [block: number, depth: number, rate: number][] = [
    [0, 3, 0],
    [1, 3, 0.15],
    [2, 3, 0.3],
    [0, 1, 0],
  ];
  it.each(rates)("block %i of %i has rate %f", (block, depth, rate) => {
    expect(dropPathRate(0.3, block, depth)).toBeCloseTo(rate, 12);
  });

  it("gives nothing where the rate is 0", () => {
    expect(dropPathFactors({ ...settings, rate: 0 })).toBeUndefined();
  });

  it("drops a branch with the rate of its block, and keeps the mean at 1", () => {
    for (const [i, factors] of branches(settings).entries()) {
      const rate = dropPathRate(0.3, Math.floor(i / 2), 3);
      const dropped = factors.filter((factor) => factor === 0).length / factors.length;
      expect(Math.abs(dropped - rate)).toBeLessThan(0.03);
      const kept = Math.fround(1 / (1 - rate));
      expect(factors.every((factor) => factor === 0 || factor === kept)).toBe(true);
    }
  });

  it("does not depend on how the batch is cut into micro-batches", () => {
    const of = { ...settings, contexts: 2, globalBatch: 8 };
    const whole = branches({ ...of, images: 8 });
    const second = branches({ ...of, images: 4, firstImage: 4 });
    for (const [i, factors] of whole.entries()) {
      const rows = [4, 5, 6, 7, 12, 13, 14, 15]; // images 4 … 7 of both contexts
      expect(rows.map((row) => factors[row])).toEqual([...(second[i] ?? [])]);
    }
  });

  it("differs from step to step and from branch to branch", () => {
    const [attn, mlp] = branches(settings).slice(-2);
    const [next] = branches({ ...settings, step: 6 }).slice(-2);
    expect(attn).not.toEqual(next);
    expect(attn).not.toEqual(mlp);
  });
});
