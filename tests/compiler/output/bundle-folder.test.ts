/** A trainer is bundled as it lies there: what counts as an edit, as its code, and as wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile";
import { bundleFolder, codeHash, readTrainer, type TrainerFolder } from "../../../compiler/output/bundle-folder";
import { writeTrainer } from "../../../compiler/output/write";
import { specFromText } from "../../../compiler/spec/load";

const spec = {
  encoder: { dim: 48, depth: 2, heads: 3, patch: 16 },
  image: { size: 96 },
  masking: { minKeep: 2 },
  optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
  data: { source: "shapes", trainImages: 64, validationImages: 64, testImages: 64 },
};
const loaded = specFromText({ text: JSON.stringify(spec), file: "x.json" });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
const compiled = compile(loaded);

let out = "";
let folder = "";
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "ijepa-bundle-"));
  folder = join(out, "x");
  writeTrainer({ out, compiled, bundle: "" });
});
afterEach(() => rmSync(out, { recursive: true }));

function change(name: string, how: (text: string) => string): void {
  const path = join(folder, name);
  writeFileSync(path, how(readFileSync(path, "utf8")));
}
const swap = (from: string, to: string) => (text: string) => {
  expect(text).toContain(from);
  return text.replaceAll(from, to);
};

function trainer(): TrainerFolder {
  const found = readTrainer(folder);
  if (found === null) throw new Error("no trainer");
  return found;
}

const asCompiled = codeHash(compiled.files.filter(({ name }) => name.endsWith(".ts")));
const toMse = () => change("step.ts", swap("smoothL1", "mse"));
const ownModule = () => {
  writeFileSync(join(folder, "mine.ts"), "export const half = (x: number): number => x / 2;\n");
  change("parameters.ts", (text) => `${text}import { half } from "./mine";\nexport const unused = half(3);\n`);
};

const table: readonly (readonly [name: string, act: () => void, edited: readonly string[], isOtherCode: boolean])[] = [
  ["as it was compiled", () => {}, [], false],
  ["other ends of lines", () => change("step.ts", (text) => text.replaceAll("\n", "\r\n")), [], false],
  ["a comment", () => change("step.ts", (text) => `${text}// mine\n`), ["step.ts"], false],
  ["another op", toMse, ["step.ts"], true],
  [
    "a constant, which checkpoints compare",
    () => change("experiment.ts", swap("seed: 0", "seed: 1")),
    ["experiment.ts"],
    false,
  ],
  ["a module of its own", ownModule, ["mine.ts", "parameters.ts"], true],
  ["a file that nothing uses", () => writeFileSync(join(folder, "notes.ts"), "not even code"), [], false],
  ["the report", () => change("report.md", (text) => `${text}mine\n`), [], false],
];

test.each(table)("%s", (_, act, edited, isOtherCode) => {
  act();
  const found = trainer();
  expect(found.edited).toEqual(edited);
  expect(codeHash(found.files) !== asCompiled).toBe(isOtherCode);
});

describe("the bundle", () => {
  test("of a trainer as it was compiled says nothing of an edit", async () => {
    const made = await bundleFolder(trainer());
    expect(made).toMatchObject({ ok: true, editedCode: null });
    expect(made.ok && made.text).not.toMatch(/Edited by hand|"[0-9a-f]{64}";\n/);
  });

  test("of an edited one carries its code, and says so at the top", async () => {
    toMse();
    const made = await bundleFolder(trainer());
    if (!made.ok) throw new Error("not bundled");
    expect(made.editedCode).toMatch(/^[0-9a-f]{64}$/);
    expect(made.text).toContain(`"${made.editedCode}"`);
    expect(made.text).toContain("\n// Edited by hand: step.ts.\n");
    expect(made.text).toContain("o.mse(");
  });

  test("code that does not type-check is refused where it stands", async () => {
    change("step.ts", swap("o.smoothL1(", "o.smoothL2("));
    const line = readFileSync(join(folder, "step.ts"), "utf8")
      .split("\n")
      .findIndex((text) => text.includes("smoothL2"));
    expect(await bundleFolder(trainer())).toMatchObject({
      ok: false,
      faults: [
        { file: "step.ts", line: line + 1, column: 18, length: 8, message: expect.stringContaining("smoothL2") },
      ],
    });
  });

  test("a file that is gone is missed where it is imported", async () => {
    rmSync(join(folder, "features.ts"));
    expect(trainer().edited).toEqual(["features.ts"]);
    const made = await bundleFolder(trainer());
    expect(made.ok ? [] : made.faults.map(({ file }) => file)).toContain("main.ts");
  });
});

test("a folder of something else is no trainer", () => expect(readTrainer(out)).toBeNull());
