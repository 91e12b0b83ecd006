/** Many specs in one TypeScript program: the verdict on each is the same as alone, and stays its own. */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

import { build, type CompileInput } from "../../compiler/build";
import { compile } from "../../compiler/compile";
import { compileMany } from "../../compiler/compile-many";

import { typeErrors, typeErrorsOfMany } from "../../compiler/emit/check";
import { unitsOf } from "../../compiler/emit/check-units";
import { type GeneratedCode, standingForItself } from "../../compiler/emit/code";
import { emitTypeScript } from "../../compiler/emit/emit";
import { specFromText } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import { base, compiledWith, variations } from "../support/variations";

function input(change: object, name = "one"): CompileInput & { readonly folder: string } {
  const loaded = specFromText({ text: JSON.stringify({ ...base, ...change, name }), file: `${name}.json` });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return { spec: loaded.spec, hash: loaded.hash, folder: resolve("/nowhere", name) };
}

/** With a text in one file replaced by another, also in what stands for it. */
function edited(
  files: readonly GeneratedCode[],
  name: string,
  from: string | RegExp,
  to: string,
): readonly GeneratedCode[] {
  const changed = (text: string): string => {
    expect(text.replace(from, to)).not.toBe(text);
    return text.replace(from, to);
  };
  return files.map((file) =>
    file.name === name ? { ...file, text: changed(file.text), standIn: () => changed(file.standIn()) } : file,
  );
}

describe("type errors", () => {
  const [a, b] = [input({}, "a"), input({ seed: 1, loss: "mse" }, "b")];
  const [right, other] = [compile(a).typescript, compile(b).typescript];
  const wrong = edited(right, "step.ts", "block.mlp.fc1.weight,", "block.mlp.fc2.weight,");
  const lineOf = (files: readonly GeneratedCode[], text: string): number =>
    (files
      .find(({ name }) => name === "step.ts")
      ?.text.split("\n")
      .findIndex((line) => line.includes(text)) ?? -2) + 1;

  test("of one stay with that one, in its own lines", () => {
    const [first, second, third] = typeErrorsOfMany([
      { folder: "/nowhere/a", files: right },
      { folder: "/nowhere/w", files: wrong },
      { folder: "/nowhere/b", files: other },
    ]);
    expect([first, third]).toEqual([[], []]);
    expect(second?.[0]).toContain(`step.ts:${lineOf(wrong, "block.mlp.fc2.weight,")}: `);
    expect(second).toEqual(typeErrors("/nowhere/w", wrong));
  });

  test("of two that differ in comments only are in the lines of each", () => {
    const longer = edited(wrong, "step.ts", "import ", "// one\n// two\nimport ");
    const [first, second] = typeErrorsOfMany([
      { folder: "/nowhere/w", files: wrong },
      { folder: "/nowhere/l", files: longer },
    ]);
    const down = (line: string) => line.replace(/^step\.ts:(\d+)/, (_, at) => `step.ts:${Number(at) + 2}`);
    expect(second).toEqual(first?.map(down));
    expect(first?.length).toBeGreaterThan(0);
  });

  test("come from what a file imports, though its own text was right before", () => {
    expect(typeErrors("/nowhere/a", right)).toEqual([]);
    const renamed = edited(right, "step.ts", "export const V = ", "export const W = ");
    expect(typeErrors("/nowhere/a", renamed).join("\n")).toMatch(/^parameters\.ts:\d+: /m);
    // And are gone with it.
    expect(typeErrors("/nowhere/a", right)).toEqual([]);
  });

  test("a file that does not parse", () => {
    const broken = edited(right, "main.ts", "train({", "train({{");
    expect(typeErrors("/nowhere/a", broken).join("\n")).toMatch(/^main\.ts:\d+: /m);
  });
});

describe("one file for many", () => {
  const keys = (of: CompileInput) =>
    new Map(unitsOf({ folder: "/nowhere/a", files: compile(of).typescript }).map(({ file, key }) => [file.name, key]));
  const plain = keys(input({}));

  test.each([
    ["a learning rate", { optimization: { ...base.optimization, learningRate: { warmupEpochs: 0 } } }, true],
    ["another seed", { seed: 7 }, true],
    ["width", { encoder: { ...base.encoder, dim: 24 } }, true],
    ["depth", { encoder: { ...base.encoder, depth: 5 } }, true],
    ["batch", { optimization: { ...base.optimization, globalBatch: 8 } }, true],
    ["the loss", { loss: "mse" }, false],
    ["the image", { image: { size: 40 } }, false],
  ])("%s", (_, change, same) => {
    expect(keys(input(change)).get("step.ts") === plain.get("step.ts")).toBe(same);
  });

  test.each([
    ["seed, name and folder of runs", input({ seed: 7 }, "two"), true],
    ["the engine", input({ hardware: { engine: "tfjs" } }), false],
  ])("constants: %s", (_, other, same) => {
    expect(keys(other).get("experiment.ts") === plain.get("experiment.ts")).toBe(same);
  });

  // Where they were not, the check would be right all the same, but slow.
  test("are right where the real ones are", () => {
    const trainers = variations.map(([name, change]) => ({
      folder: resolve("/nowhere", name),
      files: compiledWith(change).typescript.map((file) => standingForItself({ ...file, text: file.standIn() })),
    }));
    expect(typeErrorsOfMany(trainers)).toEqual(trainers.map(() => []));
  });

  const trainer = build(input({ description: 'He said "5, and \\ 7' }));
  const { experiment } = trainer.plan;
  test.each<[string, object]>([
    ["a word that is none of the choices", { data: { ...experiment.data, kind: "shape" } }],
    ["a text for a number", { seed: "0" }],
    ["a number for a text", { runDirectory: 1 }],
    ["a number for a choice", { augmentation: { ...experiment.augmentation, horizontalFlip: 1 } }],
    ["a number short", { augmentation: { ...experiment.augmentation, cropScale: [0.3] } }],
    ["another number of channels", { image: { ...experiment.image, channels: 4 } }],
  ])("of the constants: %s is an error", (_, wrong) => {
    const plan = { ...trainer.plan, experiment: { ...experiment, ...wrong } };
    expect(typeErrors("/nowhere/a", emitTypeScript(trainer))).toEqual([]);
    expect(typeErrors("/nowhere/a", emitTypeScript({ ...trainer, plan })).join("\n")).toMatch(/^experiment\.ts:\d+: /);
  });

  test("tell axes apart that are equally long", () => {
    // 16 patches, and tokens 16 wide: no error where types are numbers only.
    const files = compile(input({})).typescript;
    const [from, to] = [
      'block: Target<EncoderBlock>, x: F32<[B, N, D], "x">',
      'block: Target<EncoderBlock>, x: F32<[B, D, N], "x">',
    ];
    const swapped = edited(files, "step.ts", from, to);
    expect(swapped.find(({ name }) => name === "step.ts")?.text).toMatch(/const N = 16;[\s\S]*const D = 16;/);
    const standIns = swapped.map((file) => standingForItself({ ...file, text: file.standIn() }));
    expect(typeErrors("/nowhere/a", standIns)).not.toEqual([]);
  });
});

describe("compileMany", () => {
  test("gives what each gives alone, in order", () => {
    const inputs = [input({}, "a"), input({ seed: 3 }, "b"), input({ loss: "mse" }, "c")];
    const results = compileMany(inputs);
    expect(results.map((result) => result.ok && result.compiled.files)).toEqual(
      inputs.map((each) => compile(each).files),
    );
  });

  test("one that fails does not hide the others", () => {
    const good = [input({}, "a"), input({ seed: 3 }, "c")] as const;
    // No rule lets this through: an op then meets axes that do not fit.
    const bad = {
      ...input({}, "b"),
      spec: { ...good[0].spec, encoder: { ...good[0].spec.encoder, patch: 0 } } as Spec,
    };
    const results = compileMany([good[0], bad, good[1]]);
    expect(results.map(({ ok, input: { folder } }) => [ok, folder])).toEqual([
      [true, good[0].folder],
      [false, bad.folder],
      [true, good[1].folder],
    ]);
  });
});
