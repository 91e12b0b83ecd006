import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shellWord, shellWords } from "../../../../tools/sweep/executors/shell";

/** What a POSIX shell makes of a line: the words, as a program gets them. */
const wordsOf = (line: string): readonly string[] =>
  execFileSync("/bin/sh", ["-c", `for word in ${line}; do printf '%s\\0' "$word"; done`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);

describe("a word for the shell", () => {
  const cases: readonly [text: string, want: string][] = [
    ["runs/a-b_c.1", "runs/a-b_c.1"],
    ["", "''"],
    ["two words", "'two words'"],
    ["it's", "'it'\\''s'"],
    ["$(touch x)", "'$(touch x)'"],
    ["~", "'~'"],
    ["A=b", "'A=b'"],
  ];
  it.each(cases)("%j is %s", (text, want) => expect(shellWord(text)).toBe(want));

  it("is read as what it was, whatever that is", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }).filter((word) => !word.includes("\0")),
      fc.string({ unit: fc.constantFrom(..."'\"\\$`!*?[]{}()<>|&;#~=% \t\n-a") }),
    );
    const words = fc.array(text, { minLength: 1, maxLength: 20 });
    const property = fc.property(words, (given) => {
      expect(wordsOf(shellWords(given))).toEqual(given);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it("is never cut at a NUL in silence", () => expect(() => shellWord("a\0b")).toThrow("internal: a NUL"));
});
