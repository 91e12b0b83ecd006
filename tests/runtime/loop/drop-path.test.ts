import { describe, expect, it } from "vitest";
import { dropPathFactors, dropPathRate } from "../../../runtime/loop/drop-path";

const batch = { images: 4000, contexts: 1, firstImage: 0, globalBatch: 4000 };
const settings = { seed: 3, step: 5, ...batch, depth: 3, rate: 0.3 };

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
    expect(dropPathFactors({ ...settings, rate: 0 }).size).toBe(0);
  });

  it("drops a branch with the rate of its block, and keeps the mean at 1", () => {
    for (const [path, factors] of dropPathFactors(settings)) {
      const rate = dropPathRate(0.3, Number(path.split(".")[2]), 3);
      const dropped = factors.filter((factor) => factor === 0).length / factors.length;
      expect(Math.abs(dropped - rate)).toBeLessThan(0.03);
      const kept = Math.fround(1 / (1 - rate));
      expect(factors.every((factor) => factor === 0 || factor === kept)).toBe(true);
    }
  });

  it("does not depend on how the batch is cut into micro-batches", () => {
    const of = { ...settings, contexts: 2, globalBatch: 8 };
    const whole = dropPathFactors({ ...of, images: 8 });
    const second = dropPathFactors({ ...of, images: 4, firstImage: 4 });
    for (const [path, factors] of whole) {
      const rows = [4, 5, 6, 7, 12, 13, 14, 15]; // images 4 … 7 of both contexts
      expect(rows.map((row) => factors[row])).toEqual([...(second.get(path) ?? [])]);
    }
  });

  it("differs from step to step and from branch to branch", () => {
    const now = dropPathFactors(settings);
    const next = dropPathFactors({ ...settings, step: 6 });
    expect(now.get("batch.dropPath.2.attn")).not.toEqual(next.get("batch.dropPath.2.attn"));
    expect(now.get("batch.dropPath.2.attn")).not.toEqual(now.get("batch.dropPath.2.mlp"));
  });
});
