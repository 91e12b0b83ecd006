import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openLabelledImages } from "../../../runtime/data/labelled";
import { type MaskBatch, sampleMasks } from "../../../runtime/masks/sampler";
import { predict } from "../../../tools/export/onnx/predictions";
import { type ExportSource, openSource } from "../../../tools/export/source";
import { predictedCosines } from "../../../tools/report/predictions";
import { makeRun } from "../../support/exported";
import { runsFolder } from "./made-runs";

const folder = runsFolder();
afterAll(() => rmSync(folder, { recursive: true }));

async function opened(name: string, change?: (path: string, values: Float32Array) => void) {
  const run = await makeRun(join(folder, name), change);
  const found = await openSource(join(folder, name), "target");
  if (!found.ok) throw new Error(found.problem.what);
  return { run, source: found.source };
}

async function predicted(source: ExportSource, pixels: Uint8Array, masks: MaskBatch, images: number) {
  const { experiment } = source;
  if (experiment.objective !== "ijepa") throw new Error("a run of I-JEPA was opened");
  const found = await predict({ ...source, experiment }, pixels, masks, images);
  if (!found.ok) throw new Error(found.why);
  return found.predicted;
}

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN))).reduce((most, far) => Math.max(most, far), 0);

describe("what a run predicts", async () => {
  const { run, source } = await opened("run");
  const { experiment } = run;
  if (experiment.objective !== "ijepa") throw new Error("a run of I-JEPA was opened");
  const { image, encoder } = experiment;
  const images = 3;
  const data = await openLabelledImages({ experiment, root: ".", split: "test", limit: images });
  const pixels = await data.pixels(0, images);
  const masks = sampleMasks(experiment.masks, { seed: 1, step: 2, images, firstImage: 0 });
  const { T, U, C } = masks.lengths;
  const found = await predicted(source, pixels, masks, images);
  const rowOf = (block: number, i: number): number => (block * images + i) * T * encoder.dim;

  it("is held to the target encoder's patches after a layer norm, block after block", async () => {
    const plane = image.height * image.width;
    const floats = Float32Array.from(pixels, (byte, i) => {
      const channel = Math.floor(i / plane) % 3;
      return (byte / 255 - (image.mean[channel] ?? 0)) / (image.std[channel] ?? 1);
    });
    const encoded = await run.encode(floats, "target");
    const patches = image.gridHeight * image.gridWidth;
    for (const [block, i, token] of [
      [0, 0, 0],
      [2, 1, T - 1],
      [3, 2, 1],
    ] as const) {
      const patch = masks.targetIndex[i * U + block * T + token] ?? 0;
      const one = [...encoded.subarray((i * patches + patch) * encoder.dim, (i * patches + patch + 1) * encoder.dim)];
      const mean = one.reduce((sum, value) => sum + value, 0) / one.length;
      const variance = one.reduce((sum, value) => sum + (value - mean) ** 2, 0) / one.length;
      const wanted = one.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
      const at = rowOf(block, i) + token * encoder.dim;
      expect(furthest(found.targets.subarray(at, at + encoder.dim), wanted)).toBeLessThan(1e-3);
    }
  });

  it("depends on the image and its own masks alone", async () => {
    const order = [2, 0, 1];
    const size = pixels.length / images;
    const reordered = <A extends Uint8Array | Int32Array>(out: A, from: A, length: number): A => {
      for (const [to, i] of order.entries()) out.set(from.subarray(i * length, (i + 1) * length), to * length);
      return out;
    };
    const moved = await predicted(
      source,
      reordered(new Uint8Array(pixels.length), pixels, size),
      {
        ...masks,
        contextIndex: reordered(new Int32Array(masks.contextIndex.length), masks.contextIndex, C),
        targetIndex: reordered(new Int32Array(masks.targetIndex.length), masks.targetIndex, U),
      },
      images,
    );
    const length = T * encoder.dim;
    const before = found.predictions.subarray(rowOf(1, 2), rowOf(1, 2) + length);
    expect(furthest(moved.predictions.subarray(rowOf(1, 0), rowOf(1, 0) + length), before)).toBeLessThan(1e-4);
    expect(furthest(moved.predictions.subarray(rowOf(1, 1), rowOf(1, 1) + length), before)).toBeGreaterThan(1e-2);
  });

  it("reads the context by the context encoder, and targets by the target encoder", async () => {
    const { source: other } = await opened("other", (path, values) => {
      if (path.startsWith("weights.encoder.blocks.")) values.fill(0);
    });
    const changed = await predicted(other, pixels, masks, images);
    expect(furthest(changed.targets, found.targets)).toBe(0);
    expect(furthest(changed.predictions, found.predictions)).toBeGreaterThan(1e-2);
    await other.close();
  });

  it("is held to what the target encoder makes of that target alone where it is masked at its input", async () => {
    const masked = { ...source, experiment: { ...experiment, targetsMaskedAt: "input" as const } };
    const alone = await predicted(masked, pixels, masks, images);
    expect(furthest(alone.predictions, found.predictions)).toBe(0);
    // The first image black, but for the patches of its first target.
    const { patch, gridWidth, width, height } = image;
    const own = new Set(masks.targetIndex.subarray(0, T));
    const veiled = pixels.map((byte, i) => {
      const [y, x] = [Math.floor(i / width) % height, i % width];
      const isOwn = own.has(Math.floor(y / patch) * gridWidth + Math.floor(x / patch));
      return i < 3 * height * width && !isOwn ? 0 : byte;
    });
    const [atInput, atOutput] = [
      await predicted(masked, veiled, masks, images),
      await predicted(source, veiled, masks, images),
    ];
    const target = (of: typeof found) => of.targets.subarray(rowOf(0, 0), rowOf(0, 0) + T * encoder.dim);
    expect(furthest(target(atInput), target(alone))).toBeLessThan(1e-4);
    expect(furthest(target(atOutput), target(found))).toBeGreaterThan(1e-2);
  });

  it("is compared at its own block and image", async () => {
    const cosines = await predictedCosines(source, data);
    if (typeof cosines === "string") throw new Error(cosines);
    const { plan, seed } = { plan: experiment.masks, seed: experiment.seed };
    const most = plan.programs.reduce((best, { probability }) => Math.max(best, probability), 0);
    const step = Array.from({ length: 512 }, (_, i) => i).find(
      (i) =>
        plan.programs[sampleMasks(plan, { seed, step: i, images: 1, firstImage: 0 }).program]?.probability === most,
    );
    const drawn = sampleMasks(plan, { seed, step: step ?? 0, images, firstImage: 0 });
    const own = await predicted(source, pixels, drawn, images);
    const [block, i, token, width] = [2, 1, drawn.lengths.T - 1, encoder.dim];
    const at = ((block * images + i) * drawn.lengths.T + token) * width;
    const [a, b] = [own.predictions, own.targets].map((all) => all.subarray(at, at + width));
    const dot = (x: Float32Array | undefined, y: Float32Array | undefined): number =>
      Array.from(x ?? []).reduce((sum, value, d) => sum + value * (y?.[d] ?? 0), 0);
    const wanted = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    expect(cosines.cosines[(i * cosines.blocks + block) * cosines.tokens + token]).toBeCloseTo(wanted, 4);
  });

  it("comes out of the predictor's last layer", async () => {
    const { source: constant } = await opened("constant", (path, values) => {
      if (path === "weights.predictor.proj.weight") values.fill(0);
      if (path === "weights.predictor.proj.bias") values.fill(2);
    });
    const { predictions } = await predicted(constant, pixels, masks, images);
    expect(predictions.every((value) => value === 2)).toBe(true);
    // A constant is orthogonal to what a layer norm gives.
    const cosines = await predictedCosines(constant, data);
    if (typeof cosines === "string") throw new Error(cosines);
    expect(furthest(cosines.cosines, new Float32Array(cosines.cosines.length))).toBeLessThan(1e-4);
    expect(cosines.patches).toHaveLength(cosines.images * cosines.blocks * cosines.tokens);
    await constant.close();
  });
});
