import { describe, expect, test } from "vitest";
import { diagnosticJson, reportForPeople } from "../../../compiler/diagnostics/problem-text";
import { specFromText } from "../../../compiler/spec/load";

function report(text: string, colour = false): string {
  const loaded = specFromText({ text, file: "a/x.json" });
  return loaded.ok ? "" : reportForPeople(loaded.diagnostics, { colour });
}

test("the line, a caret below it, and the facts", () => {
  expect(report('{\n\t"data": { "source": "shapes" },\n\t"encoder": { "size": "tini" }\n}')).toBe(`\
a/x.json:3:23 E205 encoder.size: not one of the choices
    3 |  "encoder": { "size": "tini" }
      |                       ^^^^^^
  found  "tini"
  want   "tiny", "small", "base", "large", "huge" or "giant"
  hint   Did you mean \`tiny\`?
`);
});

test("a blank line between two", () => {
  expect(report('{ "data": { "source": "shapes" }, "seed": -1, "loss": 2 }').match(/\n\n/g)).toHaveLength(1);
});

test("a long line is cut around the place", () => {
  const text = `{ "description": "${"x".repeat(500)}", "data": { "source": "shapes" }, "seed": -1, "init": { "std": ${"0".repeat(1)}.1 } }`;
  const [, line = "", carets = ""] = report(text).split("\n");
  expect(line.length).toBeLessThan(120);
  expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("-1");
});

test("a number that JSON can write and no computer holds, and a key without end", () => {
  const said = report(`{ "data": { "source": "shapes" }, "seed": 1e400, "${"k".repeat(9999)}": 1 }`);
  expect(said).toContain("E203 seed: wrong type\n");
  expect(said).toContain("  found  a number that is too large to compute with\n");
  expect(said).toContain(`E201 ${"k".repeat(100)}…: no such field\n`);
  expect(Math.max(...said.split("\n").map((line) => line.length))).toBeLessThan(400);
});

test("a problem of the whole file has no line", () => {
  expect(report("")).toBe('a/x.json E105 is empty\n  want   an object, e.g. { "data": { "source": "shapes" } }\n');
});

describe("colour", () => {
  const text = '{ "data": { "source": "shapes" }, "seed": -1 }';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const colours = /\u001b\[\d+m/g;
  test("only adds colours", () => {
    expect(report(text, true)).toMatch(colours);
    expect(report(text, true).replace(colours, "")).toBe(report(text));
  });

  test("nothing of the file can colour the terminal or move its cursor", () => {
    const hostile = '{ "data": { "source": "shapes" }, "\u009b31m\u202e\u007f": 1 }';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
    expect(report(hostile)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});

test("JSON for machines", () => {
  const loaded = specFromText({ text: '{ "data": { "source": "shapes" }, "seed": -1 }', file: "x.json" });
  expect(loaded.ok ? [] : loaded.diagnostics.map(diagnosticJson)).toEqual([
    {
      code: "E204",
      severity: "error",
      file: "x.json",
      line: 1,
      column: 43,
      length: 2,
      path: "seed",
      what: "out of range",
      found: "-1",
      want: "a whole number from 0 to 4294967295",
      hint: null,
    },
  ]);
});
