import { describe, expect, test } from "vitest";
import { peakBytes, releasesOf, type Uses } from "../../../runtime/ops/liveness";

/** `c = a b` reads a and b and makes c; `c d = a` makes two. */
function program(...lines: readonly string[]): Uses<string>[] {
  return lines.map((line) => {
    const [outputs = "", inputs = ""] = line.split("=").map((side) => side.trim());
    const names = (side: string): string[] => side.split(" ").filter((name) => name !== "");
    return { outputs: names(outputs), inputs: names(inputs) };
  });
}

describe("a value is released right after its last reader", () => {
  test.each([
    { name: "a chain", lines: ["b = a", "c = b"], given: ["a"], kept: ["c"], want: [["a"], ["b"]] },
    { name: "what is kept stays", lines: ["b = a", "c = a"], given: ["a"], kept: ["b", "c"], want: [[], ["a"]] },
    { name: "read twice by one op", lines: ["b = a a"], given: ["a"], kept: ["b"], want: [["a"]] },
    { name: "made and never read", lines: ["b c = a", "d = b"], given: ["a"], kept: ["d"], want: [["a", "c"], ["b"]] },
    { name: "what is not given stays", lines: ["b = a w"], given: ["a"], kept: ["b"], want: [["a"]] },
    { name: "a given value may be a result", lines: ["b = a"], given: ["a"], kept: ["a", "b"], want: [[]] },
  ])("$name", ({ lines, given, kept, want }) => {
    const { before, after } = releasesOf(program(...lines), { given, kept });
    expect(after.map((values) => [...values].sort())).toEqual(want);
    expect(before).toEqual([]);
  });

  test("a given value that nothing reads is released before everything", () => {
    expect(releasesOf(program("b = a"), { given: ["a", "z"], kept: ["b"] }).before).toEqual(["z"]);
  });
});

describe("the most that lives at any time", () => {
  const sizes: Readonly<Record<string, number>> = { a: 100, b: 10, c: 1, d: 20, view: 100 };
  const bytesOf = (value: string): number => sizes[value] ?? 0;
  const peak = (lines: readonly string[], given: readonly string[], kept: readonly string[]): number => {
    const ops = program(...lines);
    const atStart = given.reduce((sum, value) => sum + bytesOf(value), 0);
    const viewOf = (value: string) => (value === "view" ? "a" : undefined);
    return peakBytes(ops, releasesOf(ops, { given, kept }), { bytesOf, viewOf, atStart });
  };
  test.each([
    { name: "inputs and outputs of an op live together", lines: ["b = a", "d = b"], given: ["a"], want: 110 },
    { name: "later ops find room", lines: ["b = a", "d = b", "c = d"], given: ["a"], want: 110 },
    { name: "what is read again stays", lines: ["b = a", "d = b", "c = a d"], given: ["a"], want: 130 },
    { name: "a view takes no memory", lines: ["view = a", "b = view"], given: ["a"], want: 110 },
    {
      name: "and keeps that of its base",
      lines: ["view = a", "b = a", "d = b", "c = view d"],
      given: ["a"],
      want: 130,
    },
  ])("$name", ({ lines, given, want }) => {
    expect(peak(lines, given, ["c"])).toBe(want);
  });
});
