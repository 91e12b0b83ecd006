/** What became of a declaration that has no namesake on the other side. */
import { expect, test } from "vitest";
import { type Candidate, matches } from "../../../tools/diff/match";

const lines = (letter: string, from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `  const ${letter}${from + i} = compute(${letter}, ${from + i});`).join(
    "\n",
  );
const declared = (name: string, ...bodies: readonly string[]): Candidate => ({
  file: "step.ts",
  name,
  text: [`export function ${name}(o: Ops) {`, ...bodies, "}"].join("\n"),
});

const table: readonly (readonly [
  name: string,
  removed: readonly Candidate[],
  added: readonly Candidate[],
  want: readonly string[],
])[] = [
  ["nothing", [], [], []],
  ["another name", [declared("one", lines("a", 0, 8))], [declared("two", lines("a", 0, 8))], ["one → two"]],
  [
    "another name, and lines that changed",
    [declared("one", lines("a", 0, 8))],
    [declared("two", lines("a", 0, 5), lines("b", 0, 2))],
    ["one → two"],
  ],
  [
    "another file",
    [declared("one", lines("a", 0, 8))],
    [{ ...declared("one", lines("a", 0, 8)), file: "b.ts" }],
    ["one → one"],
  ],
  [
    "shapes and comments do not count",
    [declared("one", lines("a", 0, 4).replaceAll(";", "; // [B, N]"))],
    [declared("two", lines("a", 0, 4).replaceAll(";", ";    // [B, C, D]"))],
    ["one → two"],
  ],
  ["nothing alike", [declared("one", lines("a", 0, 8))], [declared("two", lines("b", 0, 8))], []],
  [
    "split, each part with something of its own",
    [declared("whole", lines("a", 0, 12))],
    [declared("first", lines("a", 0, 8), lines("b", 0, 2)), declared("second", lines("a", 8, 12), lines("c", 0, 3))],
    ["whole → first + second"],
  ],
  [
    "joined",
    [declared("first", lines("a", 0, 8)), declared("second", lines("a", 8, 12))],
    [declared("whole", lines("a", 0, 12), lines("b", 0, 2))],
    ["first + second → whole"],
  ],
  [
    "a part that was only a small share of the whole is new",
    [declared("whole", lines("a", 0, 40))],
    [declared("part", lines("a", 0, 4))],
    [],
  ],
  ["too short to know", [declared("one", lines("a", 0, 1))], [declared("two", lines("a", 0, 1))], []],
  [
    "the likest of two",
    [declared("far", lines("a", 0, 6), lines("b", 0, 4)), declared("near", lines("a", 0, 9), lines("b", 0, 1))],
    [declared("now", lines("a", 0, 10))],
    ["near → now"],
  ],
];

test.each(table)("%s", (_, removed, added, want) => {
  const text = (all: readonly Candidate[]): string => all.map(({ name }) => name).join(" + ");
  expect(matches(removed, added).map(({ was, is }) => `${text(was)} → ${text(is)}`)).toEqual(want);
});
