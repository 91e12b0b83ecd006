import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadSpec } from "../../../compiler/spec/load";
import { resolvedFields, resolvedText } from "../../../compiler/spec/resolved";
import { lines } from "./fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-extend-"));
afterAll(() => rmSync(folder, { recursive: true }));

const base = {
  name: "base",
  description: "The one below.",
  image: { size: 64 },
  encoder: { size: "tiny", patch: 8 },
  masking: { minKeep: 4 },
  data: { source: "folder", train: "images", images: 4096 },
  optimization: { epochs: 50, globalBatch: 64 },
};

/** Writes files and loads `x.json`; names are without the folder. */
function load(files: Readonly<Record<string, unknown>>, settings: readonly string[] = []) {
  for (const [name, content] of Object.entries({ "shared/base.json": base, ...files })) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  }
  return loadSpec(join(folder, "x.json"), { settings });
}
const saysOf = (loaded: ReturnType<typeof load>) => lines(loaded).map((line) => line.replaceAll(`${folder}/`, ""));

function specOf(x: object, settings: readonly string[] = []) {
  const loaded = load({ "x.json": { extends: "./shared/base.json", ...x } }, settings);
  if (!loaded.ok) throw new Error(saysOf(loaded).join("\n"));
  return loaded;
}

describe("an experiment over another", () => {
  test.each<[what: string, x: object, settings: readonly string[], want: object]>([
    [
      "name and description are its own, all else is inherited",
      {},
      [],
      { name: "x", description: "", image: { size: 64 } },
    ],
    ["objects field by field", { optimization: { epochs: 60 } }, [], { optimization: { epochs: 60, globalBatch: 64 } }],
    ["paths start where they are written", {}, [], { data: { train: "shared/images" } }],
    ["other data as a whole", { data: { source: "shapes" } }, [], { data: { source: "shapes", trainImages: 8192 } }],
    [
      "another strategy as a whole",
      { masking: { strategy: "random" } },
      [],
      { masking: { strategy: "random", targets: { share: 0.6 } } },
    ],
    ["the same strategy field by field", { masking: { strategy: "multiblock" } }, [], { masking: { minKeep: 4 } }],
    ["another strategy by --set", {}, ["masking.strategy=rasterized"], { masking: { strategy: "rasterized" } }],
    [
      "numbers in the place of a size",
      { encoder: { dim: 24, depth: 2, heads: 3 }, predictor: { dim: 24 } },
      [],
      { encoder: { dim: 24, mlpRatio: 4, patch: 8 } },
    ],
    ["a size in the place of a size", { encoder: { size: "small" } }, [], { encoder: { dim: 384, patch: 8 } }],
    [
      "--set over both, the last of one field wins",
      { optimization: { epochs: 60 } },
      ["optimization.epochs=70", "optimization.epochs=80", "loss=mse", "masking.targets.scale=[0.2,0.3]", "name=5"],
      { optimization: { epochs: 80 }, loss: "mse", masking: { targets: { scale: [0.2, 0.3] } }, name: "5" },
    ],
    [
      "three numbers by --set are an encoder",
      { predictor: { dim: 24 } },
      ["encoder.dim=24", "encoder.depth=2", "encoder.heads=3"],
      { encoder: { dim: 24, depth: 2, heads: 3 } },
    ],
  ])("%s", (_, x, settings, want) => {
    expect(specOf(x, settings).spec).toMatchObject(want);
  });

  test("it has the hash of the same spec in one file", () => {
    const { name: _, description: __, ...whole } = { ...base, data: { ...base.data, train: "shared/images" } };
    const alone = load({ "x.json": { ...whole, seed: 1 } });
    expect(alone).toMatchObject({ ok: true, hash: specOf({ seed: 1 }).hash });
  });

  test("every value knows where it comes from", () => {
    const { spec, source } = specOf({ seed: 1 }, ["optimization.epochs=60"]);
    const origins = Object.fromEntries(resolvedFields(spec, source).map(({ path, origin }) => [path, origin]));
    expect(origins).toMatchObject({
      seed: `${join(folder, "x.json")}:3`,
      "image.size": `${join(folder, "shared/base.json")}:5`,
      "optimization.epochs": "--set optimization.epochs=60",
      "optimization.accumulation": null,
    });
    // It is a spec again, and the same one.
    const text = resolvedText(spec, source);
    expect(text).toContain('"epochs": 60, // --set optimization.epochs=60\n');
    expect(load({ "x.json": text })).toMatchObject({ ok: true, spec });
  });
});

const setting = (text: string) => [{ extends: "./shared/base.json" }, [text]] as const;
test.each<[x: unknown, settings: readonly string[], ...want: string[]]>([
  [
    ...setting("optimization.epochs=few"),
    '--set:1:21 E203 optimization.epochs: wrong type; found "few"; want a whole number from 1 to 1000000 (epochs)',
  ],
  [
    ...setting("optimization.epoch=5"),
    "--set:1:14 E201 optimization.epoch: no such field; want one of epochs, globalBatch, accumulation, learningRate, weightDecay, momentum, scheduleScale, adamw, clipNorm, skipNonFinite. Did you mean `epochs`?",
  ],
  [
    ...setting("epochs"),
    'E903 --set does not name a field and its value; found "epochs"; want FIELD=VALUE, such as optimization.epochs=5 or masking.targets.scale=[0.1,0.2]',
  ],
  [
    ...setting("a..b=1"),
    'E903 --set does not name a field and its value; found "a..b=1"; want FIELD=VALUE, such as optimization.epochs=5 or masking.targets.scale=[0.1,0.2]',
  ],
  // The value that is wrong stands in the base, and that is where the error points.
  [
    { extends: "./shared/base.json", image: { size: 60 } },
    [],
    "shared/base.json:9:14 E302 encoder.patch: patches of 8 pixels do not tile an image of 60 at least twice each way; found 60 / 8 = 7.5; want a patch of 6 or 10",
  ],
  [
    { extends: "./shared/bass.json" },
    [],
    "x.json:2:14 E110 extends: shared/bass.json there is no such file. Did you mean `shared/base.json`?",
  ],
  [
    { extends: "x.json" },
    [],
    "x.json:2:14 E111 extends: extends itself; found x.json, which leads here; want a file that extends none of those that extend it",
  ],
  [
    { extends: 5, data: { source: "shapes" } },
    [],
    "x.json:2:14 E203 extends: wrong type; found 5; want a text of 1 to 4096 characters (path)",
  ],
])("%j %j", (x, settings, ...want) => {
  expect(saysOf(load({ "x.json": x }, settings))).toEqual(want);
});
