import { describe, expect, it } from "vitest";
import type { Results } from "../../../../tools/sweep/results/index";
import { spreadOf } from "../../../../tools/sweep/results/statistics";
import { noiseOf } from "../../../../tools/sweep/results/summary";
import { type MadeRun, madeResults, madeSweep } from "./made-sweep";

const sweep = madeSweep({ axes: { width: ["48", "96", "192"] }, seeds: [0, 1], epochs: 2 });
const done = (accuracy: number, first = 0.2): MadeRun => ({ accuracies: [first, accuracy], testImages: 1_000_000 });
const order = ({ groups }: Results): readonly string[] => groups.map(({ labels }) => labels.width ?? "");
const groupOf = ({ groups }: Results, width: string) => groups.find(({ labels }) => labels.width === width);
const number = expect.any(Number);

describe("groups over seeds", () => {
  const whole = { 0: done(0.3), 1: done(0.32), 2: done(0.5), 3: done(0.52), 4: done(0.51), 5: done(0.52) };

  it("have means and spreads, and the best comes first", () => {
    const results = madeResults(sweep, whole);
    expect(order(results)).toEqual(["192", "96", "48"]);
    expect(results).toMatchObject({ best: "grid-192", provisional: false, testImages: 1_000_000 });
    const main = groupOf(results, "96")?.metrics["shape.linearProbe"];
    expect(main).toMatchObject({ n: 2, min: 0.5, max: 0.52, epoch: 2 });
    expect(main?.mean).toBeCloseTo(0.51, 12);
    expect(main?.sd).toBeCloseTo(0.02 / Math.SQRT2, 12);
    expect(main?.standardError).toBeCloseTo(0.01, 12);
    expect(main?.testError).toBeCloseTo(0.0005, 5);
  });

  it("differ from the best, or only as chance does", () => {
    const results = madeResults(sweep, whole);
    expect(groupOf(results, "192")?.comparison).toBeNull();
    expect(groupOf(results, "96")?.comparison).toMatchObject({
      epoch: null,
      noise: { from: "seeds" },
      withinNoise: true,
    });
    expect(groupOf(results, "48")?.comparison).toMatchObject({ epoch: null, withinNoise: false });
    expect(groupOf(results, "48")?.comparison?.difference).toBeCloseTo(0.31 - 0.515, 12);
  });

  it("are ranked the other way round where less is better", () => {
    const metric = { name: "shape.linearProbe", goal: "min" } as const;
    expect(order(madeResults({ ...sweep, metric }, whole))).toEqual(["48", "96", "192"]);
  });

  it("have no spread with one seed, and only the noise of the test images", () => {
    const single = madeSweep({ axes: { width: ["48", "96"] }, seeds: [0], epochs: 2 });
    const results = madeResults(single, {
      0: { accuracies: [null, 0.5], testImages: 100 },
      1: { accuracies: [null, 0.6], testImages: 100 },
    });
    expect(groupOf(results, "48")).toMatchObject({
      metrics: { "shape.linearProbe": { n: 1, sd: null, standardError: null } },
      comparison: { noise: { from: "test images" }, withinNoise: true },
    });
  });

  it("say nothing of noise where nothing is known of it", () => {
    const single = madeSweep({ axes: { width: ["48", "96"] }, seeds: [0], metric: { name: "rankMe", goal: "max" } });
    const results = madeResults(single, { 0: { accuracies: [null, 0.5] }, 1: { accuracies: [null, 0.6] } });
    expect(groupOf(results, "48")?.comparison).toEqual({
      difference: number,
      epoch: null,
      noise: null,
      withinNoise: null,
    });
  });
});

describe("a sweep of which a part has run", () => {
  const best = { 4: done(0.5, 0.3), 5: done(0.52, 0.32) };

  it("compares a stopped group at the epoch that it reached", () => {
    const stopped = { accuracies: [0.21], state: "stopped", end: { reason: "floor" } } as const;
    const results = madeResults(sweep, { ...best, 0: stopped, 1: { ...stopped, accuracies: [0.23] } });
    expect(order(results)).toEqual(["192", "48", "96"]);
    const group = groupOf(results, "48");
    expect(group).toMatchObject({ complete: false, comparison: { epoch: 1, withinNoise: expect.any(Boolean) } });
    expect(group?.comparison?.difference).toBeCloseTo(0.22 - 0.31, 12);
    expect(group?.notes).toEqual(["measured at epoch 1 of 2", "2 seeds stopped early after epoch 1"]);
  });

  it("leaves seeds that came less far out of the mean, and says so", () => {
    const results = madeResults(sweep, { ...best, 2: done(0.4), 3: { accuracies: [0.2], state: "stopped" } });
    const group = groupOf(results, "96");
    expect(group).toMatchObject({ complete: true, metrics: { "shape.linearProbe": { n: 1, mean: 0.4 } } });
    expect(group?.notes).toEqual(["1 seed stopped early after epoch 1, not in the mean"]);
  });

  it("never counts a failed seed, however far it came", () => {
    const results = madeResults(sweep, { ...best, 0: { ...done(0.9), state: "failed" }, 1: done(0.4) });
    expect(results.best).toBe("grid-192");
    expect(groupOf(results, "48")).toMatchObject({
      metrics: { "shape.linearProbe": { n: 1, mean: 0.4 } },
      notes: ["1 seed failed, not in the mean"],
    });
  });

  it("counts a seed of another generator and none of another spec", () => {
    const results = madeResults(sweep, {
      ...best,
      0: { ...done(0.3), state: "stale" },
      1: { ...done(0.9), state: "stale", specHash: "earlier" },
    });
    expect(groupOf(results, "48")).toMatchObject({
      metrics: { "shape.linearProbe": { n: 1, mean: 0.3 } },
      notes: ["1 seed by another version of the generator", "1 seed stale, not in the mean"],
    });
  });

  it("does not let a group that is still short of its end be the best of all", () => {
    const results = madeResults(sweep, { ...best, 0: { accuracies: [0.9], state: "running" } });
    expect(results).toMatchObject({ best: "grid-192", provisional: false });
    expect(groupOf(results, "48")?.comparison?.difference).toBeCloseTo(0.9 - 0.31, 12);
    expect(groupOf(results, "48")?.notes).toContain("1 seed waiting");
  });

  it("has a provisional best as long as none is at its end", () => {
    const running = { accuracies: [0.3], state: "running" } as const;
    const results = madeResults(sweep, { 0: running, 2: { ...running, accuracies: [0.4] } });
    expect(results).toMatchObject({ best: "grid-96", provisional: true, states: { running: 2, waiting: 4 } });
    expect(groupOf(results, "48")?.comparison).toMatchObject({ epoch: 1 });
  });

  it("has no best where no point has the metric", () => {
    const results = madeResults(sweep, { 0: { accuracies: [null, null] } });
    expect(results).toMatchObject({ best: null, provisional: false, metrics: ["loss"] });
    expect(order(results)).toEqual(["48", "96", "192"]);
    expect(groupOf(results, "48")?.notes).toEqual(["1 seed finished without shape.linearProbe", "1 seed waiting"]);
  });
});

describe("the noise of a difference", () => {
  const spread = (values: readonly number[], testError: number | null) => {
    const found = spreadOf(values);
    if (found === null) throw new Error("no values");
    return { ...found, testError };
  };
  const seeds = 4.303 * Math.SQRT2 * 0.01;
  it.each([
    ["seeds that differ more", spread([0.5, 0.52], 0.001), spread([0.4, 0.42], 0.001), seeds, "seeds"],
    ["few test images", spread([0.5, 0.5], 0.03), spread([0.4, 0.4], 0.04), 1.959964 * 0.05, "test images"],
    ["one seed on a side", spread([0.5, 0.52], 0.03), spread([0.4], 0.04), 1.959964 * 0.05, "test images"],
    ["no accuracy", spread([0.5, 0.52], null), spread([0.4, 0.42], null), seeds, "seeds"],
  ])("is the wider interval: %s", (_, a, b, value, from) => {
    const noise = noiseOf(a, b);
    expect(noise?.from).toBe(from);
    expect(noise?.value).toBeCloseTo(value, 9);
  });

  it("is unknown for single values of no accuracy", () => {
    expect(noiseOf(spread([1], null), spread([2, 3], null))).toBeNull();
  });
});
