/** Specs of masked autoencoders: what is filled in, and what is refused. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../compiler/spec/json";
import { specFromText } from "../../../compiler/spec/load";
import { lines } from "./fixture";

const loadedOf = (change: JsonObject) =>
  specFromText({ text: JSON.stringify({ objective: "mae", data: { source: "shapes" }, ...change }), file: "x.json" });

function specOf(change: JsonObject) {
  const loaded = loadedOf(change);
  if (!loaded.ok || loaded.spec.objective !== "mae") throw new Error(lines(loaded).join("\n"));
  return loaded.spec;
}

describe("defaults", () => {
  test.each([
    ["base", { dim: 512, depth: 8, heads: 16 }],
    ["large", { dim: 512, depth: 8, heads: 16 }],
    ["tiny", { dim: 128, depth: 8, heads: 4 }],
  ])("the decoder beside %s", (size, decoder) => {
    expect(specOf({ encoder: { size } }).decoder).toEqual({ ...decoder, mlpRatio: 4 });
  });

  test("are those of the paper", () => {
    const { encoder, maskRatio, targets, optimization, augmentation } = specOf({});
    expect(encoder.classToken).toBe(true);
    expect({ maskRatio, targets }).toEqual({ maskRatio: 0.75, targets: { normalize: true } });
    expect(optimization.adamw).toEqual({ beta1: 0.9, beta2: 0.95, eps: 1e-8 });
    expect(optimization.weightDecay).toEqual({ start: 0.05, final: 0.05 });
    expect(optimization.learningRate).toEqual({ start: 0, peak: 0.0012, final: 0, warmupEpochs: 40 });
    expect(optimization.clipNorm).toBeNull();
    expect(augmentation).toMatchObject({ cropScale: [0.2, 1], horizontalFlip: true });
    expect(optimization).not.toHaveProperty("momentum");
  });
});

describe("what is wrong", () => {
  test.each<readonly [JsonObject, RegExp]>([
    [{ predictor: { dim: 96 } }, /E208 predictor: .*ijepa/],
    [{ optimization: { momentum: { start: 0.9 } } }, /E208 optimization\.momentum: .*ijepa/],
    [{ masking: { targets: { count: 2 } } }, /E208 masking: .*ijepa/],
    [{ maskRatio: 1e-9 }, /E328 maskRatio: no patch of an image is masked/],
    [{ image: { size: 32 }, encoder: { patch: 16, size: "tiny" }, maskRatio: 0.9 }, /E328 maskRatio: no patch .*seen/],
    [{ decoder: { dim: 64, heads: 3 } }, /E303 decoder\.heads: /],
  ])("%j", (change, want) => {
    const found = lines(loadedOf(change)).join("\n");
    expect(found).toMatch(want);
  });

  test("a field of no objective is told those of its own alone", () => {
    const [found = ""] = lines(loadedOf({ targets: { zzz: 1 } }));
    expect(found).toMatch(/E201/);
    const loaded = loadedOf({ targets: { zzz: 1 } });
    const text = JSON.stringify(loaded.ok ? [] : loaded.diagnostics);
    expect(text).toContain("normalize");
    expect(text).not.toContain("maskedAt");
  });

  test("an experiment of I-JEPA has none of its fields", () => {
    const text = JSON.stringify({ data: { source: "shapes" }, decoder: { dim: 64 } });
    expect(lines(specFromText({ text, file: "x.json" })).join("\n")).toMatch(/E208 decoder: .*mae/);
  });
});
