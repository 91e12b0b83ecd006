/** Specs of SimMIM: what is filled in, and what is refused. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../compiler/spec/json";
import { specFromText } from "../../../compiler/spec/load";
import { lines } from "./fixture";

const loadedOf = (change: JsonObject) =>
  specFromText({
    text: JSON.stringify({
      objective: "simmim",
      encoder: { size: "base", patch: 16 },
      data: { source: "shapes" },
      ...change,
    }),
    file: "x.json",
  });

function specOf(change: JsonObject) {
  const loaded = loadedOf(change);
  if (!loaded.ok || loaded.spec.objective !== "simmim") throw new Error(lines(loaded).join("\n"));
  return loaded.spec;
}

describe("defaults", () => {
  test("are those of the paper", () => {
    const { encoder, maskRatio, maskUnit, optimization, augmentation } = specOf({});
    expect(encoder.classToken).toBe(true);
    // 32 pixels: two patches of 16.
    expect({ maskRatio, maskUnit, patch: encoder.patch }).toEqual({ maskRatio: 0.6, maskUnit: 2, patch: 16 });
    expect(optimization.adamw).toEqual({ beta1: 0.9, beta2: 0.999, eps: 1e-8 });
    expect(optimization.weightDecay).toEqual({ start: 0.05, final: 0.05 });
    expect(optimization.learningRate).toEqual({ start: 0.000004, peak: 0.0008, final: 0.00004, warmupEpochs: 10 });
    expect(optimization.clipNorm).toBe(5);
    expect(augmentation).toMatchObject({ cropScale: [0.67, 1], horizontalFlip: true });
    expect(optimization).not.toHaveProperty("momentum");
  });

  test("a grid with an odd number of patches a side is masked patch by patch", () => {
    expect(specOf({ image: { size: 112 }, encoder: { size: "tiny", patch: 16 } }).maskUnit).toBe(1);
  });
});

describe("what is wrong", () => {
  test.each<readonly [JsonObject, RegExp]>([
    [{ predictor: { dim: 96 } }, /E208 predictor: .*ijepa/],
    [{ decoder: { dim: 96 } }, /E208 decoder: .*mae/],
    [{ targets: { normalize: false } }, /E208 targets: .*ijepa/],
    [{ loss: "mse" }, /E208 loss: .*ijepa/],
    [{ optimization: { momentum: { start: 0.9 } } }, /E208 optimization\.momentum: .*ijepa/],
    [{ masking: { targets: { count: 2 } } }, /E208 masking: .*ijepa/],
    [{ maskRatio: 1e-9 }, /E328 maskRatio: no patch of an image is masked; found 49 of 49 squares of 2×2 patches/],
    [{ image: { size: 32 }, encoder: { patch: 16, size: "tiny" } }, /E328 maskRatio: no patch .*seen/],
    [{ maskUnit: 4 }, /E338 maskUnit: .*squares of 4×4 patches, and a grid of 14×14; want 1 or 2 or 7/],
    [{ maskUnit: 0 }, /E2\d\d maskUnit/],
  ])("%j", (change, want) => {
    expect(lines(loadedOf(change)).join("\n")).toMatch(want);
  });

  test.each(["ijepa", "mae"])("an experiment of %s has none of its fields", (objective) => {
    const text = JSON.stringify({ objective, data: { source: "shapes" }, maskUnit: 2 });
    expect(lines(specFromText({ text, file: "x.json" })).join("\n")).toMatch(/E208 maskUnit: .*simmim/);
  });
});
