/** An edit of a person is told from everything else that makes a file differ from what was written. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Compiled, compile } from "../../../compiler/compile";
import { editedFiles, editsIn } from "../../../compiler/output/edits";
import { editedDiagnostic, editsText } from "../../../compiler/output/edits-text";
import { pointAt, writeTrainer } from "../../../compiler/output/write";
import { writeTrainers } from "../../../compiler/output/write-many";
import { specFromText } from "../../../compiler/spec/load";

function compiled(change: object = {}): Compiled {
  const spec = {
    encoder: { dim: 48, depth: 2, heads: 3, patch: 16 },
    image: { size: 96 },
    masking: { minKeep: 2 },
    optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
    data: { source: "shapes", trainImages: 64, validationImages: 64, testImages: 64 },
    ...change,
  };
  const loaded = specFromText({ text: JSON.stringify(spec), file: "x.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return compile(loaded);
}
const now = compiled();
const other = compiled({ loss: "mse" });

let out = "";
let folder = "";
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "ijepa-edits-"));
  folder = join(out, "x");
  writeTrainer({ out, compiled: now, bundle: "" });
});
afterEach(() => rmSync(out, { recursive: true }));

const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const change = (name: string, how: (text: string) => string): void => put(name, how(read(name)));
const addLine = (name: string): void => change(name, (text) => `${text}// mine\n`);
const textOf = ({ files }: Compiled, name: string): string => files.find((file) => file.name === name)?.text ?? "";
const conflict = (name: string): void =>
  put(name, `<<<<<<< HEAD\n${textOf(now, name)}=======\n${textOf(other, name)}>>>>>>> theirs\n`);

/** What was done to the folder, and the files that count as edited, with lines added and removed. */
const table: readonly (readonly [name: string, act: () => void, want: readonly string[]])[] = [
  ["nothing", () => {}, []],
  ["a line more", () => addLine("step.ts"), ["step.ts +1 −0"]],
  ["a line changed", () => change("main.ts", (text) => text.replace("train({", "train( {")), ["main.ts +1 −1"]],
  ["another header", () => change("step.ts", (text) => text.replace("DO NOT EDIT", "Edit")), ["step.ts +1 −1"]],
  ["no TypeScript", () => addLine("report.md"), ["report.md +1 −0"]],
  ["two files", () => ["features.ts", "step.ts"].forEach(addLine), ["features.ts +1 −0", "step.ts +1 −0"]],
  ["other ends of lines", () => change("step.ts", (text) => text.replaceAll("\n", "\r\n")), []],
  ["a byte order mark", () => change("step.ts", (text) => `\uFEFF${text}`), []],
  [
    "other ends of lines, and an edit",
    () => change("step.ts", (t) => `${t}// mine\n`.replaceAll("\n", "\r\n")),
    ["step.ts +1 −0"],
  ],
  ["a file taken away", () => rmSync(join(folder, "step.ts")), []],
  ["a file of the person's own", () => put("notes.md", "mine"), []],
  ["a module of the person's own", () => put("mine.ts", "export {};\n"), []],
  ["one file of another commit", () => put("step.ts", textOf(other, "step.ts")), []],
  [
    "one file of another commit, edited",
    () => put("step.ts", `${textOf(other, "step.ts")}// mine\n`),
    ["step.ts +4 −3"],
  ],
  ["a merge with conflicts", () => ["step.ts", "manifest.json", "graph.txt"].forEach(conflict), []],
  ["no manifest", () => rmSync(join(folder, "manifest.json")), []],
  [
    "no manifest, and an edit",
    () => {
      rmSync(join(folder, "manifest.json"));
      addLine("step.ts");
    },
    ["step.ts +1 −0"],
  ],
];

test.each(table)("%s", (_, act, want) => {
  act();
  const found = editsIn(folder, now.files)?.files ?? [];
  expect(found.map(({ name, added, removed }) => `${name} +${added} −${removed}`).sort()).toEqual(want);
  expect([...editedFiles(folder)].sort()).toEqual(found.map(({ name }) => name).sort());
});

test("a file that another version wrote and this one does not: an edit of it would be lost as well", () => {
  writeTrainer({
    out,
    compiled: { ...now, files: [...now.files, { name: "old.ts", text: "export {};\n" }] },
    bundle: "",
  });
  expect(editsIn(folder, now.files)).toBeNull();
  addLine("old.ts");
  expect(editsIn(folder, now.files)?.files).toMatchObject([{ name: "old.ts", added: 2, removed: 0 }]);
});

test("a folder of somebody else's files", () => {
  const files = [{ name: "main.ts", text: "generated\n" }];
  mkdirSync(join(out, "theirs"));
  writeFileSync(join(out, "theirs/main.ts"), "theirs\n");
  expect(editsIn(join(out, "theirs"), files)?.files).toMatchObject([{ name: "main.ts", text: "theirs\n" }]);
});

describe("writing", () => {
  test("an edited trainer stays as it is, and the one beside it is written", async () => {
    addLine("step.ts");
    const edited = read("step.ts");
    const beside = compiled({ name: "y" });
    const results = await writeTrainers(out, [now, beside]);
    expect(results).toMatchObject([
      { ok: false, edits: { folder } },
      { ok: true, folder: join(out, "y") },
    ]);
    expect([read("step.ts"), read("train.js")]).toEqual([edited, ""]);
    expect(readFileSync(join(out, "y/train.js"), "utf8")).toContain('experiment "y"');
  });

  test("with force it is written", async () => {
    addLine("step.ts");
    expect(await writeTrainers(out, [now], { force: true })).toEqual([{ ok: true, folder }]);
    expect(read("step.ts")).toBe(textOf(now, "step.ts"));
  });

  test("the spec changes: files nobody edited are written anew, and a person's own stay", async () => {
    put("notes.md", "mine");
    put("old.ts", textOf(other, "main.ts"));
    expect(await writeTrainers(out, [other])).toEqual([{ ok: true, folder }]);
    expect(read("step.ts")).toBe(textOf(other, "step.ts"));
    expect([read("notes.md"), existsSync(join(folder, "old.ts"))]).toEqual(["mine", false]);
  });
});

describe("files of somebody else", () => {
  const own = (name: string) => join(out, name);
  const table: readonly (readonly [string, string, where: () => string])[] = [
    ["package.json", '{ "name": "mine" }', () => out],
    ["train.js", "mine", () => out],
    ["new/report.md", "mine", () => own("new")],
    ["new/manifest.json", '{ "short_name": "mine" }', () => own("new")],
    ["new/main.ts", "mine", () => own("new")],
  ];
  test.each(table)("%s stays as it is, and nothing is written", async (name, text, where) => {
    mkdirSync(own("new"));
    writeFileSync(own(name), text);
    const writing = writeTrainers(out, [now, compiled({ name: "new" })], { force: true });
    await expect(writing).rejects.toMatchObject({ folder: where(), names: [name.replace("new/", "")] });
    expect([readFileSync(own(name), "utf8"), read("train.js"), existsSync(own("new/step.ts"))]).toEqual([
      text,
      "",
      false,
    ]);
  });

  test("what was written before is written again, also without its manifest", async () => {
    pointAt(out, "x");
    rmSync(join(folder, "manifest.json"));
    expect(await writeTrainers(out, [now])).toEqual([{ ok: true, folder }]);
  });
});

describe("in words", () => {
  test("files, lines, and the difference", () => {
    change("step.ts", (text) => text.replace("eps: 1e-5", "eps: 1e-4"));
    const edits = editsIn(folder, now.files);
    if (edits === null) throw new Error("no edit found");
    expect(editedDiagnostic(edits, "Or else.")).toMatchObject({
      code: "E431",
      file: folder,
      found: "step.ts +1 −1 lines",
      hint: `\`ijepa bundle ${folder}\` keeps the edit and builds train.js with it. Or else.`,
    });
    expect(editsText(edits).split("\n")).toEqual([
      "--- step.ts as compiled",
      "+++ step.ts as it is",
      expect.stringMatching(/^@@ -\d+ \+\d+ @@$/),
      expect.stringMatching(/^ {3}const encoded/),
      expect.stringMatching(/^- {2}const normalized = o\.normalize\(encoded, \{ eps: 1e-5 \}\);/),
      expect.stringMatching(/^\+ {2}const normalized = o\.normalize\(encoded, \{ eps: 1e-4 \}\);/),
      expect.stringMatching(/^ {3}const /),
      "",
    ]);
  });

  test("the spec has changed too", () => {
    addLine("step.ts");
    const edits = editsIn(folder, other.files);
    if (edits === null) throw new Error("no edit found");
    expect(editedDiagnostic(edits, "").found).toMatch(
      /^step\.ts \+\d+ −\d+ lines, some of them from a change of the spec/,
    );
  });

  test("a long difference is cut, and nothing in it moves the cursor", () => {
    change("step.ts", (text) => `${text}${"// \u001b[2J\n".repeat(40)}`);
    const edits = editsIn(folder, now.files);
    if (edits === null) throw new Error("no edit found");
    const text = editsText(edits);
    expect(text.split("\n")).toHaveLength(18);
    expect(text).toMatch(/\n… \d+ lines more: `ijepa compile --check`\n$/);
    expect(text).not.toContain("\u001b");
  });
});
