/** Specs of data2vec: what is filled in, and what is refused. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../compiler/spec/json";
import { specFromText } from "../../../compiler/spec/load";
import { lines } from "./fixture";

const loadedOf = (change: JsonObject) =>
  specFromText({
    text: JSON.stringify({ objective: "data2vec", data: { source: "shapes" }, ...change }),
    file: "x.json",
  });

function specOf(change: JsonObject) {
  const loaded = loadedOf(change);
  if (!loaded.ok || loaded.spec.objective !== "data2vec") throw new Error(lines(loaded).join("\n"));
  return loaded.spec;
}

describe("defaults", () => {
  test.each([
    [12, 6],
    [24, 6],
    [7, 4],
    [1, 1],
  ])("of %d blocks the last %d", (depth, blocks) => {
    expect(specOf({ encoder: { dim: 96, depth, heads: 3 } }).targets).toEqual({ blocks });
  });

  test("are those of the paper and of its code", () => {
    const { encoder, maskRatio, maskSets, maskBlocks, smoothL1Beta, optimization, augmentation } = specOf({});
    expect(encoder.classToken).toBe(true);
    expect({ maskRatio, maskSets, maskBlocks, smoothL1Beta }).toEqual({
      maskSets: 1,
      maskRatio: 0.6,
      maskBlocks: { smallest: 0.08, aspect: [0.3, 10 / 3] },
      smoothL1Beta: 2,
    });
    expect(optimization).toMatchObject({
      momentum: { start: 0.9998, final: 0.9998 },
      weightDecay: { start: 0.05, final: 0.05 },
      learningRate: { start: 0, peak: 0.002, final: 0.00001, warmupEpochs: 10 },
      adamw: { beta2: 0.999 },
      clipNorm: 3,
    });
    expect(augmentation).toMatchObject({ cropScale: [0.08, 1], horizontalFlip: true });
  });
});

describe("what is wrong", () => {
  test.each<readonly [JsonObject, RegExp]>([
    [{ predictor: { dim: 96 } }, /E208 predictor: .*ijepa/],
    [{ masking: { strategy: "random" } }, /E208 masking: .*ijepa/],
    [{ loss: "mse" }, /E208 loss: .*ijepa/],
    [{ decoder: { dim: 96 } }, /E208 decoder: .*mae/],
    [{ targets: { normalize: false } }, /E208 targets\.normalize: .*ijepa.*mae/],
    [{ maskRatio: 1e-9 }, /E328 maskRatio: no patch of an image is masked/],
    [{ maskBlocks: { aspect: [2, 0.5] } }, /E301 maskBlocks\.aspect: /],
    [{ encoder: { dim: 96, depth: 3, heads: 3 }, targets: { blocks: 4 } }, /E329 targets\.blocks: .*4 blocks.*with 3/],
  ])("%j", (change, want) => {
    expect(lines(loadedOf(change)).join("\n")).toMatch(want);
  });

  test("others have none of its fields", () => {
    const text = JSON.stringify({
      objective: "mae",
      data: { source: "shapes" },
      smoothL1Beta: 1,
      targets: { blocks: 2 },
    });
    const found = lines(specFromText({ text, file: "x.json" })).join("\n");
    expect(found).toMatch(/E208 smoothL1Beta: .*data2vec/);
    expect(found).toMatch(/E208 targets\.blocks: .*data2vec/);
  });
});
