import { describe, expect, it } from "vitest";
import { differenceText, meanText, metricText, titleWithUnit } from "../../../../tools/sweep/results/metric-text";
import type { Comparison } from "../../../../tools/sweep/results/results";

describe("metrics in words", () => {
  it.each([
    ["loss", "loss"],
    ["rankMe", "RankMe"],
    ["featureSpread", "feature spread"],
    ["shape.linearProbe", "shape: linear probe (%)"],
    ["a.b.knn", "a.b: k-NN (%)"],
  ])("%s → %s", (name, want) => {
    expect(titleWithUnit(metricText(name))).toBe(want);
  });

  it.each([
    ["shape.knn", 0.4567, null, "45.7"],
    ["shape.knn", 0.4567, 0.0123, "45.7 ± 1.2"],
    ["loss", 0.12345, 0.001, "0.1235 ± 0.0010"],
    ["rankMe", 17.166, 0, "17.2 ± 0.0"],
  ])("%s %f and %s → %s", (name, mean, sd, want) => {
    const spread = { n: 2, mean, sd, standardError: sd, min: mean, max: mean, epoch: 1, testError: null };
    expect(meanText(metricText(name), spread)).toBe(want);
  });

  const cases: readonly [comparison: Partial<Comparison>, want: string][] = [
    [{ difference: -0.031 }, "−3.1"],
    [{ difference: 0.031, epoch: 2 }, "+3.1 at epoch 2"],
    [{ difference: -0.0001, withinNoise: true }, "0.0 (noise)"],
    [{ difference: -0.05, epoch: 3, withinNoise: true }, "−5.0 at epoch 3 (noise)"],
    [{ difference: -0.05, withinNoise: null }, "−5.0"],
  ];
  it.each(cases)("the difference %j → %s", (comparison, want) => {
    const whole = { difference: 0, epoch: null, noise: null, withinNoise: false, ...comparison };
    expect(differenceText(metricText("shape.linearProbe"), whole)).toBe(want);
  });

  it("says nothing where nothing is compared", () => {
    expect(differenceText(metricText("loss"), null)).toBe("");
  });
});
