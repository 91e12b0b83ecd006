/** What the passes say that they did, for models in which they apply and in which they do not. */
import { describe, expect, test } from "vitest";
import type { IJepaNumbers } from "../../../compiler/objectives/ijepa/numbers";
import { optimize } from "../../../compiler/optimize/index";
import type { PassFact } from "../../../compiler/optimize/pass-facts";
import { smallModel } from "../../support/small-model";

const line = ({ pass, applied, function: name, from }: PassFact): string =>
  `${pass} ${applied ? "→" : "not →"} ${name}${from.length === 1 ? "" : ` of ${from.join(" + ")}`}`;

const predictor = [
  "fuse ends → predictorFirstBlock of predictorInput + predictorBlock",
  "fuse ends → predictorLastBlock of predictorBlock + predictions",
  "share tiles → predictorFirstBlock",
  "select tokens early → predictorLastBlock",
];
const target = ["fuse ends → targetLastBlock of targetBlock + targetTokens", "select tokens early → targetLastBlock"];

const table: readonly (readonly [name: string, change: Partial<IJepaNumbers>, want: readonly string[]])[] = [
  ["12 target tokens of 16 patches", {}, [...target, ...predictor]],
  [
    "as many target tokens as patches",
    { targets: 4 },
    [
      "fuse ends not → targetLastBlock of targetBlock + targetTokens",
      "select tokens early → targetTokens",
      ...predictor,
    ],
  ],
  [
    "a target encoder that is masked at its input",
    { targetsMaskedAt: "input" },
    ["fuse ends not → targetLastBlock of targetBlock + targetTokens", ...predictor],
  ],
  ["pixels as targets: there is no block to join", { targetSpace: "pixels", targets: 4 }, predictor],
  [
    "a predictor of one block",
    { predictor: { dim: 12, depth: 1, heads: 3, hidden: 10 } },
    [
      ...target,
      "fuse ends → predictorLastBlock of predictorInput + predictorBlock + predictions",
      "select tokens early → predictorLastBlock",
      "share tiles → predictorLastBlock",
    ],
  ],
];

test.each(table)("%s", (_, change, want) => {
  expect(optimize(smallModel(change)).passes.map(line)).toEqual(want);
});

test("why a pass did not apply, in numbers", () => {
  const [fact] = optimize(smallModel({ targets: 4 })).passes;
  expect(fact).toMatchObject({
    applied: false,
    because: "the targets of an image have 16 tokens, not fewer than its 16 patches",
  });
});

test("casts of bfloat16 are told for every function with a product", () => {
  const cast = optimize(smallModel({ operands: "bf16" })).passes.filter(({ pass }) => pass === "cast operands");
  expect(cast.map((fact) => fact.function)).toEqual([
    "embedPatches",
    "targetBlock",
    "targetLastBlock",
    "embedContext",
    "contextBlock",
    "predictorFirstBlock",
    "predictorBlock",
    "predictorLastBlock",
    "embedPatches",
    "targetBlock",
  ]);
});

describe("operations", () => {
  const saving = optimize(smallModel()).passes.filter(({ pass }) => /^(select|share)/.test(pass));
  test.each(saving.map((fact) => [line(fact), fact] as const))("%s saves some", (_, { flopsBefore, flopsAfter }) => {
    expect(flopsAfter).toBeLessThan(flopsBefore);
  });
});
