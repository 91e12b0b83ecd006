import { describe, expect, test } from "vitest";
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import { selectPoints } from "../../../tools/sweep/select";
import { count, sweep } from "./fixture";

const six = sweep({
  axes: [count, { pointer: "/encoder/depth", values: [1, 2, 3] }],
  seeds: [0, 1],
  exclude: [{ "/encoder/depth": 3 }],
});
const names = six.points.map(({ name }) => name);

function indices(only: readonly string[], shard?: string): readonly number[] | string[] {
  const selected = selectPoints(six, { only, shard });
  return selected.ok ? selected.points.map(({ index }) => index) : selected.diagnostics.map(oneLine);
}

describe("--only", () => {
  test.each<[string, readonly string[], readonly number[]]>([
    ["nothing named: all", [], [0, 1, 2, 3, 4, 5, 6, 7]],
    ["a point", ["grid-count1-depth2-s1"], [3]],
    ["a group", ["grid-count1-depth2"], [2, 3]],
    ["without the name of the sweep", ["count4-depth1-s0", "count4-depth2"], [4, 6, 7]],
    ["a pattern", ["*depth2*"], [2, 3, 6, 7]],
    ["a pattern for one character", ["count?-depth1-s?"], [0, 1, 4, 5]],
    ["each once, in the order of the grid", ["count4-depth1", "*-s0", "grid-count4-depth1-s1"], [0, 2, 4, 5, 6]],
    ["a dot is a dot", ["*"], [0, 1, 2, 3, 4, 5, 6, 7]],
  ])("%s", (_, only, want) => {
    expect(indices(only)).toEqual(want);
  });

  test.each<[string, string, RegExp]>([
    [
      "a name that is nearly one",
      "grid-count1-dept2",
      /^E521 no point is called `grid-count1-dept2`.*Did you mean `grid-count1-depth2`\?$/,
    ],
    ["without the name of the sweep", "count1-depht1", /Did you mean `grid-count1-depth1`\?$/],
    ["nothing like it", "zzzzzzzzzz", /lists them$/],
    ["what looks like a regular expression", "grid.count1.*", /^E521/],
    ["nothing", "", /^E521/],
  ])("%s", (_, wanted, want) => {
    expect(indices([wanted])).toEqual([expect.stringMatching(want)]);
  });
});

describe("--shard", () => {
  test.each<[string, readonly (readonly number[])[]]>([
    ["1", [[0, 1, 2, 3, 4, 5, 6, 7]]],
    [
      "3",
      [
        [0, 3, 6],
        [1, 4, 7],
        [2, 5],
      ],
    ],
    ["9", [[0], [1], [2], [3], [4], [5], [6], [7], []]],
  ])("of %s", (count, want) => {
    expect(want.map((_, i) => indices([], `${i + 1}/${count}`))).toEqual(want);
  });

  test("shards of a selection part it", () => {
    expect([indices(["*-s0"], "1/2"), indices(["*-s0"], "2/2")]).toEqual([
      [0, 4],
      [2, 6],
    ]);
  });

  test.each(["0/3", "4/3", "1", "1/0", "a/b", "1/3/2", "-1/3", "1.5/3", "1/99999", "", " 1/3"])(
    "%j is none",
    (shard) => {
      expect(indices([], shard)).toEqual([expect.stringMatching(/^E522 .* want i\/n with i from 1 to n/)]);
    },
  );
});

test("names are what they should be", () => {
  expect(names).toHaveLength(8);
});
