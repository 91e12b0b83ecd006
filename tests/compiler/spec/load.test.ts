import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../compiler/spec/json";
import { loadSpec, specFromText } from "../../../compiler/spec/load";
import { encoderSizes, hiddenWidth, sizeName } from "../../../compiler/spec/presets";
import { lines, valid, withField } from "./fixture";

function specOf(document: JsonObject, file = "x.json") {
  const loaded = specFromText({ text: JSON.stringify(document), file });
  if (!loaded.ok) throw new Error(lines(loaded).join("\n"));
  return loaded;
}

describe("defaults", () => {
  test("the smallest spec is the released in1k_vith14_ep300 on other data", () => {
    expect(specOf({ data: { source: "shapes" } }).spec).toEqual({
      name: "x",
      description: "",
      seed: 0,
      objective: "ijepa",
      image: { size: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      encoder: { dim: 1280, depth: 32, heads: 16, mlpRatio: 4, patch: 14, dropPath: 0 },
      predictor: { dim: 384, depth: 12, heads: 16, mlpRatio: 4 },
      masking: {
        strategy: "multiblock",
        sampler: "reference",
        allowOverlap: false,
        minKeep: 10,
        targets: { count: 4, scale: [0.15, 0.2], aspect: [0.75, 1.5] },
        context: { count: 1, scale: [0.85, 1], tokens: "auto" },
      },
      maskSets: 1,
      targets: { space: "representations", maskedAt: "output", normalize: true },
      loss: "smoothL1",
      regularizer: { name: "none" },
      data: {
        source: "shapes",
        trainImages: 8192,
        validationImages: 2048,
        testImages: 2048,
        sceneSize: 224,
        difficulty: 0.5,
        seed: 0,
      },
      augmentation: { cropScale: [0.3, 1], cropAspect: [3 / 4, 4 / 3], horizontalFlip: false },
      optimization: {
        epochs: 300,
        globalBatch: 2048,
        accumulation: 1,
        learningRate: { start: 2e-4, peak: 1e-3, final: 1e-6, warmupEpochs: 40 },
        weightDecay: { start: 0.04, final: 0.4 },
        momentum: { start: 0.996, final: 1 },
        scheduleScale: 1,
        adamw: { beta1: 0.9, beta2: 0.999, eps: 1e-8 },
        clipNorm: null,
        skipNonFinite: 0,
      },
      init: { std: 0.02, patchStd: 0.02, positionScale: 1, depthRescale: false },
      evaluation: { everyEpochs: 0, knn: { neighbours: 20, temperature: 0.07 }, trainImages: 8192, testImages: 2048 },
      checkpoint: { everyEpochs: 1, keepEveryEpochs: 50, keepLast: 1, keepBest: { metric: null } },
      log: { everySteps: 1, tensorboard: false, mlflow: null, trackio: null },
      hardware: {
        engine: "onnx",
        device: "cpu",
        gpus: 1,
        shardOptimizer: false,
        reduceBucketMiB: 25,
        precision: "fp32",
        threads: 0,
        workers: 0,
      },
    });
  });

  test.each([
    [{ "encoder.size": "giant" }, { encoder: { dim: 1408, depth: 40, heads: 16, mlpRatio: 48 / 11 } }],
    [{ "encoder.size": "small" }, { predictor: { heads: 6 } }],
    [
      { encoder: { dim: 96, depth: 3, heads: 3, patch: 16 } },
      { encoder: { dim: 96, depth: 3, heads: 3, mlpRatio: 4 }, predictor: { heads: 3 } },
    ],
    [{ "init.std": 0.07 }, { init: { std: 0.07, patchStd: 0.07 } }],
    [{ "image.size": 320 }, { data: { sceneSize: 320 } }],
    [{ "image.size": 320, "data.sceneSize": 400 }, { data: { sceneSize: 400 } }],
    [{ name: "mine" }, { name: "mine" }],
    // The released values where they can be, else what fits the grid, the epochs and the data.
    [
      { "image.size": 64, "encoder.patch": undefined },
      { encoder: { patch: 4 }, masking: { minKeep: 10 } },
    ],
    [{ "image.size": 64, "encoder.patch": 8 }, { masking: { minKeep: 8 } }],
    [{ "image.size": 64, "encoder.patch": 16 }, { masking: { minKeep: 0 } }],
    [{ "image.size": 96, "encoder.patch": undefined }, { encoder: { patch: 6 } }],
    [{ "optimization.epochs": 15 }, { optimization: { learningRate: { warmupEpochs: 2 } } }],
    [{ "data.trainImages": 1000 }, { optimization: { globalBatch: 128 } }],
    [{ "data.trainImages": 1 }, { optimization: { globalBatch: 1 }, evaluation: { knn: { neighbours: 1 } } }],
    [{ "optimization.accumulation": 3 }, { optimization: { globalBatch: 2046 } }],
    [{ "optimization.learningRate.peak": 0.0001 }, { optimization: { learningRate: { start: 0.0001 } } }],
    [{ data: { source: "folder", train: "x", images: 4096 } }, { data: { validation: null, labels: true } }],
  ])("%j", (fields, want) => {
    let document: JsonObject = valid;
    for (const [path, value] of Object.entries(fields)) document = withField(document, path, value);
    expect(specOf(document).spec).toMatchObject(want);
  });

  test.each([
    ["a/b/cifar-tiny.json", "cifar-tiny"],
    ["probe.v2.jsonc", "probe.v2"],
  ])("the name of %s is %s", (file, name) => {
    expect(specOf(valid, file).spec.name).toBe(name);
  });

  test("a file name that is no name", () => {
    expect(lines(specFromText({ text: JSON.stringify(valid), file: "My Run.json" }))).toEqual([
      'My Run.json:1:1 E315 name: the file name can not be the name of the experiment; found "My Run"; want 1 to 64 of a–z, 0–9, dot, underscore and hyphen, starting with a letter or digit. Add a `name` or rename the file.',
    ]);
  });

  test("the six sizes have the official hidden widths", () => {
    const widths = Object.values(encoderSizes).map(hiddenWidth);
    expect(widths).toEqual([768, 1536, 3072, 4096, 5120, 6144]);
    expect(Object.values(encoderSizes).map(sizeName)).toEqual(Object.keys(encoderSizes));
    expect(sizeName({ ...encoderSizes.tiny, depth: 6 })).toBeNull();
  });
});

describe("hash", () => {
  const hashOf = (document: JsonObject) => specOf(document).hash;
  test("order, white space, comments, $schema and spelt-out defaults do not change it", () => {
    const { image, encoder, data } = valid;
    const written = `/* a */ ${JSON.stringify({ $schema: "s.json", data, encoder, image, seed: 0 }, null, 4)}`;
    const loaded = specFromText({ text: written, file: "x.json" });
    expect(loaded).toMatchObject({ ok: true, hash: hashOf(valid) });
    expect(hashOf(valid)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a value does", () => {
    expect(hashOf({ ...valid, seed: 1 })).not.toBe(hashOf(valid));
  });
});

describe("experiments that are handed out", () => {
  // Grids of sweeps have a test of their own.
  const files = readdirSync("experiments", { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".json") && !name.startsWith("sweeps"),
  );
  test.each(files)("%s is valid", (file) => {
    expect(lines(loadSpec(`experiments/${file}`))).toEqual([]);
  });

  test.each([
    // reference.md §11
    ["in1k_vith14_ep300", { size: 224, patch: 14, depth: 12, epochs: 300, warmupEpochs: 40, perGpu: 128 }],
    ["in1k_vith16-448_ep300", { size: 448, patch: 16, depth: 12, epochs: 300, warmupEpochs: 40, perGpu: 16 }],
    ["in22k_vith14_ep66", { size: 224, patch: 14, depth: 12, epochs: 66, warmupEpochs: 3, perGpu: 32 }],
    ["in22k_vitg16_ep44", { size: 224, patch: 16, depth: 16, epochs: 44, warmupEpochs: 3, perGpu: 16 }],
  ])("%s has the released numbers", (name, want) => {
    const loaded = loadSpec(`experiments/official/${name}.json`);
    if (!loaded.ok) throw new Error(lines(loaded).join("\n"));
    if (loaded.spec.objective !== "ijepa") throw new Error("the released configurations are of I-JEPA");
    const { image, encoder, predictor, optimization, init, augmentation } = loaded.spec;
    const { epochs, globalBatch, accumulation, learningRate } = optimization;
    expect({
      size: image.size,
      patch: encoder.patch,
      depth: predictor.depth,
      epochs,
      warmupEpochs: learningRate.warmupEpochs,
      perGpu: globalBatch / accumulation,
    }).toEqual(want);
    expect(globalBatch).toBe(2048);
    expect(sizeName(encoder)).toBe(name.includes("vitg") ? "giant" : "huge");
    expect(init.depthRescale || augmentation.horizontalFlip).toBe(false);
  });
});

describe("whatever is in the file, it is an answer and no exception", () => {
  const text = JSON.stringify(specOf(valid).spec, null, 2);
  const keys = [...text.matchAll(/"(\w+)":/g)].map(([, key]) => key ?? "");
  const answers = (given: string) => {
    const loaded = specFromText({ text: given, file: "x.json" });
    if (loaded.ok) return true;
    const places = loaded.diagnostics.flatMap(({ place }) => place ?? []);
    return (
      loaded.diagnostics.length > 0 && places.every(({ line, column, length }) => line > 0 && column > 0 && length > 0)
    );
  };

  test("JSON of any kind", () => {
    fc.assert(fc.property(fc.json(), answers), { numRuns: 300 });
  });

  test("text with stretches replaced", () => {
    const edit = fc.tuple(
      fc.nat(text.length),
      fc.nat(30),
      fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("{", "}", "[", ",", '"', "//", "-")),
    );
    const mutated = fc
      .array(edit, { minLength: 1, maxLength: 4 })
      .map((edits) => edits.reduce((now, [at, length, put]) => now.slice(0, at) + put + now.slice(at + length), text));
    fc.assert(fc.property(mutated, answers), { numRuns: 500 });
  });

  test("fields with any value", () => {
    const base = JSON.parse(text) as JsonObject;
    const paths = fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 3 }).map((path) => path.join("."));
    const known = fc.constantFrom(
      "encoder.dim",
      "encoder.patch",
      "image.size",
      "masking.targets.scale",
      "masking.context.tokens",
      "masking.minKeep",
      "data",
      "optimization.globalBatch",
    );
    const values = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.double(),
      fc.tuple(fc.double({ min: 0, max: 1 }), fc.double({ min: 0, max: 1 })),
      fc.jsonValue(),
    );
    const edits = fc.array(fc.tuple(fc.oneof(known, paths), values), { minLength: 1, maxLength: 4 });
    const mutated = edits.map((list) =>
      list.reduce((now, [path, value]) => withField(now, path, value as JsonObject), base),
    );
    fc.assert(
      fc.property(mutated, (document) => answers(JSON.stringify(document))),
      { numRuns: 400 },
    );
  });
});
