/** How generated text is laid out, and that strings of a spec stay strings. */
import { describe, expect, it } from "vitest";
import { check, compile } from "../../../compiler/compile";
import { source } from "../../../compiler/emit/constants";
import { aligned } from "../../../compiler/emit/functions";
import { readHeader } from "../../../compiler/emit/header";
import { docComment, listed, record } from "../../../compiler/emit/layout";
import { comment, literal } from "../../../compiler/emit/names";
import { render } from "../../../compiler/emit/render";
import { specFromText } from "../../../compiler/spec/load";
import { evaluateTrainer } from "../../support/generated";

describe("strings", () => {
  it.each([
    ['a "quoted" \\ one', '"a \\"quoted\\" \\\\ one"'],
    ["line\nbreak", '"line\\nbreak"'],
    ["\u2028\u2029", '"\\u2028\\u2029"'],
    ["${process.exit()}", '"${process.exit()}"'],
  ])("literal(%j)", (given, want) => {
    expect(literal(given)).toBe(want);
  });

  it.each([
    ["plain", "plain"],
    ["ends */ here", "ends * / here"],
    ["two\nlines\u2028three", "two lines three"],
    ["tab\tand \u0000 nul", "tab and   nul"],
  ])("comment(%j)", (given, want) => {
    expect(comment(given)).toBe(want);
  });

  const hostile = '*/ globalThis.owned = 1; /* ${globalThis.owned = 2} {{owned}} `" \n globalThis.owned = 3; //';
  it("a hostile description and path never run", async () => {
    const spec = {
      description: hostile,
      encoder: { dim: 48, depth: 2, heads: 3, patch: 16 },
      image: { size: 96 },
      masking: { minKeep: 2 },
      optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
      data: { source: "folder", train: hostile, images: 64 },
    };
    const loaded = specFromText({ text: JSON.stringify(spec), file: "spec.json" });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const compiled = compile(loaded);
    check("/nowhere/spec", compiled);
    const { experiment } = await evaluateTrainer(compiled.files);
    expect(experiment.data).toMatchObject({ trainPath: hostile });
    expect(Reflect.get(globalThis, "owned")).toBeUndefined();
  });
});

describe("layout", () => {
  it("puts notes in one column and leaves lines without notes alone", () => {
    expect(
      aligned([
        { code: "a", note: "x" },
        { code: "longer;", note: "y" },
        { code: "bare", note: "" },
      ]),
    ).toBe("a       // x\nlonger; // y\nbare");
  });

  it.each([
    [["a", "b"], "f(a, b);"],
    [["a".repeat(70), "b".repeat(70)], `f(\n    ${"a".repeat(70)},\n    ${"b".repeat(70)},\n  );`],
  ])("lists arguments", (items, want) => {
    expect(listed("f(", items, ");", "  ")).toBe(want);
  });

  it("breaks a record where it is too wide", () => {
    const entries = new Map([
      ["same", "same"],
      ["other", "x".repeat(60)],
      ["third", "y".repeat(60)],
    ]);
    expect(record({ kind: "branch", entries }, "", 0)).toBe(
      `{\n  same,\n  other: ${"x".repeat(60)},\n  third: ${"y".repeat(60)},\n}`,
    );
  });

  it("breaks a long doc comment", () => {
    const lines = docComment("word ".repeat(40).trim()).split("\n");
    expect(lines[0]).toBe("/**");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(116);
  });

  it("keeps the shapes of a doc comment whole", () => {
    const shapes = (length: number) => `${"x".repeat(length)} [R, T, D].`;
    for (let length = 100; length < 120; length++) expect(docComment(shapes(length))).toContain("[R, T, D].");
  });

  it.each([
    [{ a: 1, b: [true, null, "x"] }, '{\n  a: 1,\n  b: [true, null, "x"],\n}'],
    [[], "[\n\n]"],
  ])("source(%j)", (given, want) => {
    expect(source(given).replace(/\s+/g, " ")).toBe(want.replace(/\s+/g, " "));
  });
});

describe("header", () => {
  const loaded = specFromText({
    text: JSON.stringify({
      encoder: { dim: 48, depth: 2, heads: 3, patch: 16 },
      image: { size: 96 },
      masking: { minKeep: 2 },
      optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
      data: { source: "shapes", trainImages: 64, validationImages: 64, testImages: 64 },
    }),
    file: "spec.json",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const { files } = compile(loaded);
  const step = files.find(({ name }) => name === "step.ts")?.text ?? "";

  it("names the spec, and knows its own body", () => {
    expect(readHeader(step)).toEqual({ spec: loaded.hash.slice(0, 16), edited: false });
  });

  it("a template is given whatever it asks for", () => {
    expect(step).toContain(
      "/** Sin-cos position embeddings of all patches, not trained; mean and standard deviation of",
    );
    expect(() => render("features.ts", {})).toThrow("internal: templates/features.ts.hbs is not given");
  });

  it("notices an edit", () => {
    expect(readHeader(step.replace("o.gelu(hidden)", "o.gelu(norm2)"))).toMatchObject({ edited: true });
  });

  it("is not found where there is none", () => {
    expect(readHeader("const x = 1;\n")).toBeNull();
  });
});
