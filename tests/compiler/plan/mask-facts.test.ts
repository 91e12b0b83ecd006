import { expect, test } from "vitest";
import type { MaskSettings } from "../../../compiler/masks/settings";
import { maskFacts, maskFactsText } from "../../../compiler/plan/mask-facts";

const grid = { height: 4, width: 4 };
const multiblock: MaskSettings = {
  strategy: "multiblock",
  grid,
  sampler: "unbiased",
  targets: { count: 2, scale: [0.25, 0.25], aspect: [1, 1] },
  context: { count: 1, scale: [1, 1], tokens: 8 },
  minKeep: 1,
  allowOverlap: false,
  drawnTogether: 4,
};

test.each<[settings: MaskSettings, rows: readonly string[], heading: string]>([
  [multiblock, ["this experiment", "reference", "unbiased"], "(unbiased sampler)"],
  [{ strategy: "random", grid, targets: { share: 0.5 } }, ["this experiment"], "(random masking)"],
  [{ strategy: "rasterized", grid }, ["this experiment"], "(rasterized masking)"],
])("%j is told beside what it can be compared with", (settings, rows, heading) => {
  const facts = maskFacts(settings);
  expect(facts.own.strategy).toBe(settings.strategy);
  const text = maskFactsText(facts, grid);
  expect([...text.matchAll(/^\| ([a-z ]+) \| [\d.]+ \|/gm)].map(([, name]) => name)).toEqual(rows);
  expect(text).toContain(`How often each patch is context, in % ${heading}:`);
  expect(text.includes("in the reference")).toBe(rows.length > 1);
});
