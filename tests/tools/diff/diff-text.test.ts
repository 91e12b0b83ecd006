/** Names and texts from strangers stay text: on a terminal and in Markdown. */
import { expect, test } from "vitest";
import type { Diff } from "../../../tools/diff/diff";
import { jsonReport, markdownReport, textReport } from "../../../tools/diff/diff-text";

const hostile = "x\u001b[2J|`</td><script>@all #1 [a](b)\n**";
const diff: Diff = {
  a: { name: hostile, kind: "spec" },
  b: { name: "b.json", kind: "spec" },
  differ: true,
  compared: "spec",
  fields: [
    { path: "description", a: hostile, b: "plain" },
    { path: "encoder.depth", b: 2 },
  ],
  numbers: [
    {
      name: "steps",
      a: { name: "steps", value: 100, text: "100" },
      b: { name: "steps", value: 50, text: "50" },
      texts: ["100", "50"],
    },
  ],
  knowsCosts: false,
  batch: null,
  programs: [
    {
      a: { contextTokens: 6, targetTokens: 9, probability: 1 },
      b: { contextTokens: 7, targetTokens: 9, probability: 1 },
    },
  ],
  passes: [],
  code: {
    unchanged: 3,
    changes: [
      {
        file: "step.ts",
        name: hostile,
        change: "changed",
        added: 1,
        removed: 1,
        patch: ["@@ -1,1 +1,1 @@", "-````", `+${hostile}`],
      },
    ],
  },
};

test("text: nothing moves the cursor, one line stays one line", () => {
  const text = textReport(diff, { colour: false, stat: false });
  expect(text).not.toContain("\u001b");
  expect(text.split("\n").slice(0, 5)).toEqual([
    "--- x\uFFFD[2J|`</td><script>@all #1 [a](b)\uFFFD**",
    "+++ b.json",
    "",
    "What it means",
    "  description    x\uFFFD[2J|`</td><script>@all #1 [a](b)\uFFFD** → plain",
  ]);
  expect(text).toContain("  encoder.depth  (none) → 2\n");
  expect(text).toContain("  steps  100 → 50  −50.0 %\n");
  expect(text).toContain("  1 declaration of 4 differs, +1 −1 lines\n");
});

test("text in colour, and counts alone", () => {
  expect(textReport(diff, { colour: true, stat: false })).toContain("\u001b[31m-````\u001b[39m");
  expect(textReport(diff, { colour: false, stat: true })).not.toContain("@@");
});

test("Markdown: no cell, fence or mention of its own", () => {
  const page = markdownReport(diff, { stat: false });
  const [tables = "", fenced = ""] = page.split("<details>");
  expect(tables).not.toMatch(/<script|@all|\[a\]\(b\)|\*\*|#1\b/);
  for (const line of tables.split("\n").filter((each) => each.startsWith("|"))) {
    expect([4, 5, 6]).toContain(line.split("|").length); // two to four cells
  }
  expect(fenced).toContain("\n`````diff\n");
  expect(fenced.trimEnd().endsWith("`````\n\n</details>")).toBe(true);
  expect(markdownReport(diff, { stat: true })).not.toContain("<details>");
});

test("JSON", () => {
  const { knowsCosts: _, ...rest } = diff;
  expect(JSON.parse(jsonReport(diff, { stat: false }))).toEqual({
    ...rest,
    summary: { programs: "1 as before, context tokens 6 → 7", code: "1 declaration differs" },
    numbers: [{ name: "steps", a: 100, b: 50 }],
    code: { unchanged: 3, changes: [{ ...diff.code?.changes[0], patch: `@@ -1,1 +1,1 @@\n-\`\`\`\`\n+${hostile}` }] },
  });
  expect(JSON.parse(jsonReport(diff, { stat: true })).code.changes[0]).not.toHaveProperty("patch");
});
