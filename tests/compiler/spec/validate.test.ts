import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../compiler/spec/json";
import { complaints, placedComplaints, valid, withField } from "./fixture";

const adamw = "beta1, beta2, eps";

/** One mistake each: the field, what it says, and what is said of it. */
const mistakes: readonly (readonly [path: string, value: JsonValue | undefined, want: string])[] = [
  // Unknown keys.
  [
    "seeds",
    1,
    "E201 seeds: no such field; want one of $schema, extends, name, description, seed, objective, image, encoder, predictor, masking, maskSets, targets, loss, regularizer, data, augmentation, optimization, init, evaluation, checkpoint, log, hardware. Did you mean `seed`?",
  ],
  [
    "optimization.adamw.betas",
    1,
    `E201 optimization.adamw.betas: no such field; want one of ${adamw}. Did you mean \`beta1\`?`,
  ],
  ["optimization.adamw.amsgrad", true, `E201 optimization.adamw.amsgrad: no such field; want one of ${adamw}`],
  [
    "evaluation.knn.k",
    20,
    "E201 evaluation.knn.k: no such field; want one of neighbours, temperature. Did you mean `neighbours`?",
  ],
  [
    "hardware.num_workers",
    8,
    "E201 hardware.num_workers: no such field; want one of engine, device, gpus, shardOptimizer, reduceBucketMiB, precision, threads, workers. Did you mean `workers`?",
  ],
  [
    "data.train",
    "x",
    'E209 data.train: no field of source "shapes"; want one of source, trainImages, validationImages, testImages, sceneSize, difficulty, seed. "folder", "webdataset" and "parquet" have it.',
  ],
  [
    "masking",
    { strategy: "random", targets: { scale: [0.6, 0.6] } },
    'E209 masking.targets.scale: no field of strategy "random"; want one of share. "multiblock" and "block" have it.',
  ],
  [
    "masking",
    { targets: { share: 0.6 } },
    'E209 masking.targets.share: no field of strategy "multiblock"; want one of count, scale, aspect. "random" has it.',
  ],
  [
    "masking",
    { strategy: "rasterized", sampler: "unbiased" },
    'E209 masking.sampler: no field of strategy "rasterized"; want one of strategy. "multiblock" has it.',
  ],
  [
    "masking",
    { strategy: "block", targets: { asspect: [1, 1] } },
    "E201 masking.targets.asspect: no such field; want one of scale, aspect. Did you mean `aspect`?",
  ],
  [
    "masking.strategy",
    "multi-block",
    'E205 masking.strategy: not one of the choices; found "multi-block"; want "multiblock", "block", "random" or "rasterized". Did you mean `multiblock`?',
  ],
  ["image.a b", 1, 'E201 image["a b"]: no such field; want one of size, mean, std'],
  [
    "__proto__",
    1,
    "E201 __proto__: no such field; want one of $schema, extends, name, description, seed, objective, image, encoder, predictor, masking, maskSets, targets, loss, regularizer, data, augmentation, optimization, init, evaluation, checkpoint, log, hardware",
  ],
  // Missing keys.
  [
    "data",
    undefined,
    'E202 data: is missing; want an object with "source": "shapes", an object with "source": "folder", an object with "source": "webdataset" or an object with "source": "parquet"',
  ],
  ["data.source", undefined, 'E202 data.source: is missing; want "shapes", "folder", "webdataset" or "parquet"'],
  ["data", { source: "folder", images: 9 }, "E202 data.train: is missing; want a text of 1 to 4096 characters (path)"],
  [
    "data",
    { source: "folder", train: "x" },
    `E319 data.train: there is no such folder to count the images of; found ${resolve("x")}; want a folder of .jpg, .jpeg, .png, .webp, .avif, .gif, .tif or .tiff files, seen from the spec. Where the images lie on another machine, say with \`data.images\` how many there are.`,
  ],
  // Types.
  ["seed", "1", 'E203 seed: wrong type; found "1"; want a whole number from 0 to 4294967295'],
  ["encoder.patch", 14.5, "E203 encoder.patch: wrong type; found 14.5; want a whole number from 1 to 256 (pixels)"],
  ["encoder", [], "E203 encoder: wrong type; found an empty list; want an object { … }"],
  ["encoder", null, "E203 encoder: wrong type; found null; want an object { … }"],
  [
    "data",
    3,
    'E203 data: wrong type; found 3; want an object with "source": "shapes", an object with "source": "folder", an object with "source": "webdataset" or an object with "source": "parquet"',
  ],
  ["masking.allowOverlap", "no", 'E203 masking.allowOverlap: wrong type; found "no"; want true or false'],
  [
    "masking.targets.scale",
    0.2,
    "E203 masking.targets.scale: wrong type; found 0.2; want a list of 2 numbers, each above 0, at most 1 (share of the patches)",
  ],
  [
    "masking.targets.scale",
    [0.1, "0.2"],
    'E203 masking.targets.scale[1]: wrong type; found "0.2"; want a number above 0, at most 1',
  ],
  [
    "optimization.clipNorm",
    "off",
    'E203 optimization.clipNorm: wrong type; found "off"; want a number above 0, at most 1000000 or null (L2 norm)',
  ],
  // Ranges.
  ["seed", -1, "E204 seed: out of range; found -1; want a whole number from 0 to 4294967295"],
  [
    "optimization.scheduleScale",
    0.9,
    "E204 optimization.scheduleScale: out of range; found 0.9; want a number from 1 to 100 (× the length of training)",
  ],
  // In float32 it would be 0.
  [
    "optimization.adamw.eps",
    1e-320,
    "E204 optimization.adamw.eps: out of range; found 1e-320; want a number from 1e-30 to 1 (gradient)",
  ],
  [
    "optimization.adamw.beta2",
    1,
    "E204 optimization.adamw.beta2: out of range; found 1; want a number of at least 0, below 1 (per step)",
  ],
  [
    "optimization.clipNorm",
    0,
    "E204 optimization.clipNorm: out of range; found 0; want a number above 0, at most 1000000 or null (L2 norm)",
  ],
  [
    "predictor.dim",
    386,
    "E204 predictor.dim: out of range; found 386; want a whole number from 4 to 16384, divisible by 4 (features)",
  ],
  [
    "masking.targets.scale",
    [0.1, 1.5],
    "E204 masking.targets.scale[1]: out of range; found 1.5; want a number above 0, at most 1",
  ],
  // Choices.
  [
    "encoder.size",
    "hug",
    'E205 encoder.size: not one of the choices; found "hug"; want "tiny", "small", "base", "large", "huge" or "giant". Did you mean `huge`?',
  ],
  ["loss", "l1", 'E205 loss: not one of the choices; found "l1"; want "smoothL1" or "mse"'],
  [
    "data.source",
    "shape",
    'E205 data.source: not one of the choices; found "shape"; want "shapes", "folder", "webdataset" or "parquet". Did you mean `shapes`?',
  ],
  [
    "data.source",
    5,
    'E205 data.source: not one of the choices; found 5; want "shapes", "folder", "webdataset" or "parquet"',
  ],
  ["hardware.gpus", 0, "E204 hardware.gpus: out of range; found 0; want a whole number from 1 to 4096 (devices)"],
  [
    "hardware.engine",
    "torch",
    'E205 hardware.engine: not one of the choices; found "torch"; want "onnx", "tfjs" or "xla"',
  ],
  [
    "hardware.device",
    "gpu",
    'E317 hardware.device: the engine onnx does not run on this device; found "gpu"; want "cpu" or "webgpu". For "gpu" set hardware.engine to "tfjs" or "xla".',
  ],
  [
    "hardware.precision",
    "fp16",
    'E318 hardware.precision: the engine onnx on cpu does not compute in this precision; found "fp16"; want "fp32"',
  ],
  [
    "masking.context.tokens",
    "all",
    'E205 masking.context.tokens: not one of the choices; found "all"; want "auto" or a whole number from 1 to 65536 (patches)',
  ],
  [
    "masking.context.tokens",
    0,
    'E205 masking.context.tokens: not one of the choices; found 0; want "auto" or a whole number from 1 to 65536 (patches)',
  ],
  [
    "masking.context.tokens",
    [],
    'E205 masking.context.tokens: not one of the choices; found an empty list; want "auto" or a whole number from 1 to 65536 (patches)',
  ],
  // Lengths and forms.
  [
    "image.mean",
    [0.5],
    "E206 image.mean: wrong number of entries; found a list of 1; want a list of 3 numbers, each from 0 to 1 (intensity, 0 black … 1 white)",
  ],
  [
    "name",
    "../../etc/passwd",
    'E207 name: not of the right form; found "../../etc/passwd"; want 1 to 64 of a–z, 0–9, dot, underscore and hyphen, starting with a letter or digit',
  ],
  [
    "name",
    "x\n",
    'E207 name: not of the right form; found "x\\n"; want 1 to 64 of a–z, 0–9, dot, underscore and hyphen, starting with a letter or digit',
  ],
  [
    "data",
    { source: "folder", train: "", images: 9999 },
    'E207 data.train: not of the right form; found ""; want a text of 1 to 4096 characters (path)',
  ],
];

test.each(mistakes)("%s = %j", (path, value, want) => {
  expect(complaints(JSON.stringify(withField(valid, path, value)))).toEqual([want]);
});

test.each([
  ["[]", "x.json:1:1 E203 (root): wrong type; found an empty list; want an object { … }"],
  ['"spec"', 'x.json:1:1 E203 (root): wrong type; found "spec"; want an object { … }'],
  ["null", "x.json:1:1 E203 (root): wrong type; found null; want an object { … }"],
  [
    '{ "data": { "source": "shapes" }, "seed": 1e999 }',
    "x.json:1:43 E203 seed: wrong type; found a number that is too large to compute with; want a whole number from 0 to 4294967295",
  ],
])("a whole text: %s", (text, want) => {
  expect(placedComplaints(text)).toEqual([want]);
});

describe("every problem at once, in the order of the file", () => {
  const text = `{
  "encoder": { "size": "tiny", "patch": 15 },
  "predictor": { "depth": 0 },
  "data": { "source": "shapes", "seed": -1 },
  "masking": { "sampler": "unbiast" },
  "optimization": { "globalBatch": 10, "accumulation": 3, "lr": 1 }
}`;
  test("with places, of one field and between fields", () => {
    expect(placedComplaints(text).map((line) => line.split(": ")[0])).toEqual([
      "x.json:2:41 E302 encoder.patch",
      "x.json:3:27 E204 predictor.depth",
      "x.json:4:41 E204 data.seed",
      "x.json:5:27 E205 masking.sampler",
      "x.json:6:36 E306 optimization.globalBatch",
      "x.json:6:59 E201 optimization.lr",
    ]);
  });

  test("a misspelt field is not also missed", () => {
    const misspelt = JSON.stringify({ ...valid, encoder: { dimm: 192, depth: 2, heads: 3, patch: 16 } });
    expect(complaints(misspelt).map((line) => line.split(":")[0])).toEqual(["E201 encoder.dimm"]);
  });
});
