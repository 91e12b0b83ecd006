/** The first lines of a difference: what a person knows after a minute. Each case is one field of one small spec. */
import { expect, test } from "vitest";
import { compile } from "../../../compiler/compile";
import type { JsonObject, JsonValue } from "../../../compiler/spec/json";
import { specFromText } from "../../../compiler/spec/load";
import { diffSides } from "../../../tools/diff/diff";
import { textReport } from "../../../tools/diff/diff-text";
import { type Side, sideOfSpec } from "../../../tools/diff/sources";
import { summaryOf } from "../../../tools/diff/summary";
import { lines, withField } from "../../compiler/spec/fixture";

const base: JsonObject = {
  image: { size: 64 },
  encoder: { dim: 24, depth: 2, heads: 3, patch: 8 },
  predictor: { dim: 24, depth: 2 },
  masking: { minKeep: 4, targets: { scale: [0.2, 0.3] }, context: { tokens: 6 } },
  data: { source: "shapes" },
  optimization: { globalBatch: 16 },
};

function side(document: JsonObject, file = "x.json"): Side {
  const loaded = specFromText({ text: JSON.stringify(document), file });
  if (!loaded.ok) throw new Error(lines(loaded).join("\n"));
  return sideOfSpec(file, loaded.spec, compile(loaded));
}
const first = side(base);

const same = { steps: "153,600 of 16 images, as before", programs: "as before", passes: ["as before"] };
type Want = {
  readonly steps: string;
  readonly programs: string;
  readonly passes: readonly string[];
  readonly code: string;
};

const table: readonly (readonly [path: string, value: JsonValue, want: Want])[] = [
  [
    "optimization.accumulation",
    2,
    {
      ...same,
      steps: "153,600 of 16 images in 2 micro-batches of 8 (before: 1 micro-batch of 16)",
      code: "step is split into accumulate + update; N other declarations differ",
    },
  ],
  [
    "masking.targets.count",
    3,
    {
      ...same,
      passes: [
        "fuse ends now joins targetBlock + targetTokens to targetLastBlock: the targets of an image have 48 tokens, fewer than its 64 patches",
        "select tokens early now applies to targetLastBlock and saves 22 % of its forward operations (before: to targetTokens)",
      ],
      code: "targetLastBlock is new: it runs block 2 of 2 of the encoder; N other declarations differ",
    },
  ],
  [
    "predictor.depth",
    3,
    {
      ...same,
      code: "predictorBlock is new: it runs block 2 of 3 of the predictor; N other declarations differ",
    },
  ],
  [
    "hardware",
    { engine: "xla", device: "cpu", precision: "bf16" },
    { ...same, passes: ["cast operands now applies to 6 functions"], code: "N declarations differ" },
  ],
  [
    "targets.maskedAt",
    "input",
    {
      ...same,
      passes: ["select tokens early no longer applies to targetTokens"],
      code: "embedPatches has moved to features.ts; N other declarations differ",
    },
  ],
  [
    "masking",
    { strategy: "random" },
    {
      ...same,
      programs: "4 → 1, context tokens 6 6 6 6 → 26",
      passes: [
        "fuse ends now joins targetBlock + targetTokens to targetLastBlock: the targets of an image have 38 tokens, fewer than its 64 patches",
        "select tokens early now applies to targetLastBlock and saves 36 % of its forward operations (before: to targetTokens)",
        "share tiles no longer applies to predictorFirstBlock",
      ],
      code: "targetLastBlock is new: it runs block 2 of 2 of the encoder; N other declarations differ",
    },
  ],
  [
    "optimization.globalBatch",
    32,
    { ...same, steps: "76,800 of 32 images (before: 153,600 of 16 images)", code: "N declarations differ" },
  ],
];

test.each(table)("%s %j", (path, value, want) => {
  const found = summaryOf(diffSides(first, side(withField(base, path, value)), { teraflops: 100 }));
  const about = (wanted: string) => found.filter((line) => line.about === wanted).map(({ text }) => text);
  const passes = found
    .slice(
      found.findIndex((line) => line.about === "passes"),
      -1,
    )
    .map(({ text }) => text);
  expect({
    steps: about("steps")[0],
    programs: about("programs")[0],
    passes,
    code: about("code")[0]?.replace(/\d+ (?=(other )?declarations)/, "N "),
  }).toEqual(want);
});

test("and back: what was split is joined, and the pass ceases to apply", () => {
  const code = (path: string, value: JsonValue) =>
    summaryOf(diffSides(side(withField(base, path, value)), first, { teraflops: 100 })).map(({ text }) => text);
  expect(code("optimization.accumulation", 2).at(-1)).toMatch(/^accumulate \+ update are joined to step; /);
  expect(code("masking.targets.count", 3)).toContain(
    "fuse ends no longer joins targetBlock + targetTokens to targetLastBlock: the targets of an image have 64 tokens, not fewer than its 64 patches",
  );
});

test("a report fits a terminal, but for the lines of code", () => {
  for (const [path, value] of table) {
    const found = diffSides(first, side(withField(base, path, value), "another.json"), { teraflops: 100 });
    const report = textReport(found, { colour: false, stat: true });
    for (const line of report.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(report).toMatch(/\n {2}name, run folder +x → another\n/);
  }
});

test("another name alone is one line", () => {
  const found = diffSides(first, side(base, "another.json"), { teraflops: 100 });
  expect(textReport(found, { colour: false, stat: false })).toMatch(
    /^--- x\.json\n\+\+\+ another\.json\n\nWhat it means\n {2}name, run folder {2}x → another\n\nGenerated code\n {2}0 declarations of \d+ differ\n$/,
  );
});
