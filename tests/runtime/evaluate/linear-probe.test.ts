import { describe, expect, test } from "vitest";
import type { Features } from "../../../runtime/evaluate/features";
import { minimize } from "../../../runtime/evaluate/lbfgs";
import { fitClassifier, linearProbe, prepareProbe, probeGrid } from "../../../runtime/evaluate/linear-probe";
import { gaussians, waves } from "./synthetic";

describe("L-BFGS", () => {
  test("finds the minimum of a badly scaled bowl", () => {
    const scales = Float64Array.from({ length: 12 }, (_, i) => 4 ** i);
    const { x, value } = minimize({
      evaluate: (at, gradient) => {
        let sum = 0;
        for (const [i, scale] of scales.entries()) {
          const off = (at[i] ?? 0) - i;
          gradient[i] = scale * off + off ** 3;
          sum += (scale / 2) * off ** 2 + off ** 4 / 4;
        }
        return sum;
      },
      precondition: (vector) => {
        for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / (scales[i] ?? 1);
      },
      start: new Float64Array(12),
      tolerance: 1e-14,
      maxIterations: 100,
    });
    expect(value).toBeLessThan(1e-12);
    for (const [i, found] of x.entries()) expect(found).toBeCloseTo(i, 5);
  });

  test("ends at a start that is the minimum", () => {
    const problem = { evaluate: () => 1, precondition: () => undefined, start: new Float64Array(2) };
    expect(minimize({ ...problem, tolerance: 1e-9, maxIterations: 9 })).toMatchObject({ value: 1, iterations: 0 });
  });
});

describe("the fit", () => {
  const features = waves(30, 5);
  const labels = Int32Array.from({ length: 30 }, (_, r) => Math.floor((r * r) / 4) % 3);

  // Computed with scipy's L-BFGS-B to 10⁻¹² on the same numbers.
  test.each([
    [1, 0.9868509709749274],
    [0.1, 0.9290621674202334],
    [0.01, 0.8959717253808497],
    [1e-3, 0.8902331846122661],
    [1e-4, 0.8896068797083597],
  ])("reaches the loss of scipy with L2 %d", (l2, want) => {
    const { loss } = fitClassifier(prepareProbe(features, features, features), labels, { classes: 3, l2, start: null });
    expect(loss).toBeGreaterThan(want - 1e-9);
    expect(loss).toBeLessThan(want + 5e-6);
  });

  test("is the same from any start", () => {
    const ready = prepareProbe(features, features, features);
    const cold = fitClassifier(ready, labels, { classes: 3, l2: 0.01, start: null });
    const other = fitClassifier(ready, labels, { classes: 3, l2: 1e-4, start: null }).classifier;
    const warm = fitClassifier(ready, labels, { classes: 3, l2: 0.01, start: other });
    expect(Math.abs(warm.loss - cold.loss)).toBeLessThan(5e-6);
  });

  test("pads classes to four without using them", () => {
    const { classifier } = fitClassifier(prepareProbe(features, features, features), labels, {
      classes: 3,
      l2: 0.01,
      start: null,
    });
    expect(classifier.weight.rows).toBe(4);
    expect([...classifier.weight.values.subarray(15)]).toEqual([0, 0, 0, 0, 0]);
    expect(classifier.bias[3]).toBe(0);
  });
});

describe("the probe", () => {
  const probe = (
    classes: number,
    dimension: number,
    distance: number,
    change: (x: Features) => Features = (x) => x,
  ) => {
    const split = (images: number, seed: number) => {
      const { features, labels } = gaussians({ images, dimension, classes, distance, seed });
      return { features: change(features), labels };
    };
    const [train, validation, test] = [split(2000, 1), split(1000, 2), split(4000, 3)];
    return linearProbe(
      prepareProbe(train.features, validation.features, test.features),
      { train: train.labels, validation: validation.labels, test: test.labels },
      classes,
    );
  };

  // Two unit Gaussians whose centres are d·√2 apart: no rule does better than Φ(d/√2).
  test.each([
    [1, 0.7602],
    [2, 0.9214],
    [3, 0.9831],
  ])("reaches the best that is possible, of two Gaussians at distance %d", (distance, best) => {
    const { testAccuracy } = probe(2, 10, distance);
    expect(testAccuracy).toBeGreaterThan(best - 0.025);
    expect(testAccuracy).toBeLessThan(best + 0.02);
  });

  test.each([3, 5, 8])("separates %i classes that are separable", (classes) => {
    expect(probe(classes, 12, 12).testAccuracy).toBe(1);
  });

  test("learns nothing from noise", () => {
    expect(Math.abs(probe(4, 12, 0).testAccuracy - 0.25)).toBeLessThan(0.04);
  });

  test("does not mind scales, shifts and dead features", () => {
    const changed = probe(3, 8, 2, ({ images, dimension, values }) => ({
      images,
      dimension: dimension + 1,
      values: new Float32Array(images * (dimension + 1)).map((_, at) => {
        const [r, c] = [Math.floor(at / (dimension + 1)), at % (dimension + 1)];
        return c === dimension ? 0.1 : 10 ** (c - 4) * ((values[r * dimension + c] ?? 0) + 3);
      }),
    }));
    expect(Math.abs(changed.testAccuracy - probe(3, 8, 2).testAccuracy)).toBeLessThan(0.01);
  });

  test("gives the same numbers twice, and takes its strength from the grid", () => {
    const first = probe(3, 8, 1);
    expect(probe(3, 8, 1)).toEqual(first);
    expect(probeGrid).toContain(first.l2);
  });

  test("regularizes strongly where there are more features than images to learn from", () => {
    const split = (images: number, seed: number) => gaussians({ images, dimension: 60, classes: 2, distance: 1, seed });
    const [train, validation, test] = [split(80, 1), split(1000, 2), split(1000, 3)];
    const found = linearProbe(
      prepareProbe(train.features, validation.features, test.features),
      { train: train.labels, validation: validation.labels, test: test.labels },
      2,
    );
    expect(found.l2).toBeGreaterThanOrEqual(0.01);
    expect(found.trainAccuracy).toBeGreaterThan(found.testAccuracy);
  });
});
