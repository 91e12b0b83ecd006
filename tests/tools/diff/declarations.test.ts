import { describe, expect, test } from "vitest";
import { source } from "../../../compiler/emit/constants";
import { constantsOf } from "../../../tools/diff/constants";
import { declarationsOf, diffCode } from "../../../tools/diff/declarations";

const ts = (text: string) => ({ name: "step.ts", text });
const shown = (a: string, b: string) =>
  diffCode([ts(a)], [ts(b)]).changes.map(({ name, change, patch }) => [name, change, ...patch]);

describe("declarationsOf", () => {
  test.each([
    ["export function f() {\n  return 1;\n}\n", ["f"]],
    ["export const B = 16; export type B = typeof B; // images\n", ["B"]],
    ["interface A {}\ntype C = 1;\nenum D {}\nclass E {}\n", ["A", "C", "D", "E"]],
    ['import { x } from "./x";\ntrain({ x });\n', ["import ./x", "train(…)"]],
    ["function f(a: 1): 1;\nfunction f(a: 2): 2;\n", ["f"]],
    ["// ── Sizes ──\n\nconst a = 1;\n// the end\n", ["(comments)", "a"]],
    ["const __proto__ = 1;\nconst constructor = 2;\n", ["__proto__", "constructor"]],
    ["export default 1;\n", ["(ExportAssignment)"]],
    ["// mine\n", ["(comments)"]],
    ["function {{{ ] broken\n", ["(FunctionDeclaration)"]],
    ["", []],
  ])("%j", (text, want) => {
    expect(declarationsOf(ts(text)).map(({ name }) => name)).toEqual(want);
  });
});

describe("diffCode", () => {
  test("a declaration that has moved is the same", () => {
    expect(shown("const a = 1;\nconst b = 2;\n", "const b = 2;\n\nconst a = 1;\n")).toEqual([]);
  });

  test("a column of comments that is aligned anew is the same", () => {
    expect(shown("const a = 1;  // one\n", "const a = 1;     // one\n")).toEqual([]);
    expect(shown("const a = 1;  // one\n", "const a = 1;  // two\n")).toHaveLength(1);
  });

  test("line numbers are those of the files", () => {
    expect(shown("const a = 1;\n\nconst b = 2;\n", "const z = 0;\nconst a = 1;\n\n\nconst b = 3;\n")).toEqual([
      ["z", "added", "@@ -0,0 +1,1 @@", "+const z = 0;"],
      ["b", "changed", "@@ -3,1 +5,1 @@", "-const b = 2;", "+const b = 3;"],
    ]);
  });

  test("a comment belongs to what it stands above", () => {
    expect(shown("/** One. */\nconst a = 1;\n", "/** Two. */\nconst a = 1;\n")).toEqual([
      ["a", "changed", "@@ -1,2 +1,2 @@", "-/** One. */", "+/** Two. */", " const a = 1;"],
    ]);
  });

  test("a file that only one side has, and one that is no TypeScript", () => {
    const found = diffCode(
      [{ name: "graph.txt", text: "a\nb\n" }],
      [ts("const a = 1;\n"), { name: "graph.txt", text: "a\nc\n" }],
    );
    expect(found.changes.map(({ file, name, change }) => [file, name, change])).toEqual([
      ["step.ts", "a", "added"],
      ["graph.txt", "(whole file)", "changed"],
    ]);
  });
});

describe("constantsOf", () => {
  test("reads what is written there", () => {
    const value = {
      a: -1,
      b: 1e-8,
      "not a word": [true, false, null, [0.5]],
      text: 'a "b"\n</script>',
      deep: { x: {} },
    };
    const quoted = source(value).replace("not a word", '"not a word"');
    const text = `export const experiment: Experiment = ${quoted};\n`;
    expect(constantsOf({ name: "experiment.ts", text })).toEqual(value);
  });

  test.each([
    "",
    "export const experiment = f();",
    "export const experiment = { ...other };",
    "export const experiment = 1;",
  ])("%j is no data", (text) => expect(constantsOf({ name: "experiment.ts", text })).toBeNull());
});
