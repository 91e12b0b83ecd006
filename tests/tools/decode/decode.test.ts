/** `ijepa decode` as a person calls it: a decoder is compiled, trained and shown; equal runs give equal bits. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typeErrors } from "../../../compiler/emit/check";
import { sizeOf } from "../../../compiler/ir/number";
import { chainOf } from "../../../compiler/model/model";
import { objectiveOf } from "../../../compiler/objectives";
import { specFromText } from "../../../compiler/spec/load";
import type { Dense } from "../../../runtime/engines/reference/tensor";
import { sampleMasks } from "../../../runtime/masks/sampler";
import { positionsOf } from "../../../runtime/model/positions";
import { compileDecoder } from "../../../tools/decode/compile";
import { prepareDecoder } from "../../../tools/decode/decode";
import { decoderFile, decoderOfRun } from "../../../tools/decode/decoder-of-run";
import { type Decoding, decodingOf } from "../../../tools/decode/decoding";
import { predict } from "../../../tools/export/onnx/predictions";
import { openSource } from "../../../tools/export/source";
import { foundText } from "../../../tools/report/decoded";
import { reportRuns } from "../../../tools/report/report";
import { ijepa } from "../../support/command";
import { makeRun, smallSpec } from "../../support/exported";
import { runGraph } from "../../support/run-graph";

const folder = mkdtempSync(join(tmpdir(), "ijepa-decode-"));
afterAll(() => rmSync(folder, { recursive: true }));

const spec = join(folder, "small.json");
const run = join(folder, "run");
const decode = (of: string, ...flags: readonly string[]) =>
  ijepa("decode", of, "--spec", spec, "--steps", "80", "--threads", "1", ...flags);
const sha = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

const decodingOfRun = async (of: string): Promise<Decoding> => {
  const found = await decodingOf({ run: of, root: folder });
  if (typeof found === "string") throw new Error(found);
  return found;
};

beforeAll(async () => {
  writeFileSync(spec, JSON.stringify(smallSpec));
  await makeRun(run);
  const { code, out, err } = await decode(run);
  expect(code, `${out}\n${err}`).toBe(0);
}, 120_000);

describe("a decoder that was trained", () => {
  it("learns: from a block's own representations it comes far below the mean image and the colour of the context", async () => {
    const { errors, decoder, patches, draws, images } = await decodingOfRun(run);
    const losses = decoder.losses.map(({ loss }) => loss);
    expect(losses).toHaveLength(10);
    expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0));
    expect(errors.own).toBeLessThan(0.5 * errors.meanImage);
    expect(errors.own).toBeLessThan(0.5 * errors.contextColour);
    // The predictor of this run has drawn weights: it expects nothing.
    expect(errors.own).toBeLessThan(errors.predicted);
    const { targetCount, programs } = (await decodingOfRun(run)).experiment.masks;
    expect(programs.map(({ targetTokens }) => 3 * images * targetCount * targetTokens)).toContain(patches);
    expect(draws).toHaveLength(3);
  });

  it("is the program that lies beside it: nothing of it reaches the target encoder", () => {
    const step = readFileSync(join(run, "decoder", "step.ts"), "utf8");
    expect(step).toContain("block: Target<EncoderBlock>,");
    expect(step).toMatch(/export interface Weights \{\n {2}readonly decoder: Decoder;\n\}/);
    expect(step).toMatch(
      /export interface NextState \{\n {2}readonly weights: .*\n {2}readonly m: .*\n {2}readonly v: .*\n\}/,
    );
    expect(step).not.toContain("targetBlockBackward");
    for (const file of ["experiment.ts", "main.ts", "parameters.ts", "trees.ts"]) {
      expect(existsSync(join(run, "decoder", file)), file).toBe(true);
    }
  });

  it("is the same to the bit when it is trained again, and is not trained again unless that is asked for", async () => {
    const before = { sum: sha(decoderFile(run)), at: statSync(decoderFile(run)).mtimeMs };
    const second = await decode(run);
    expect(second).toMatchObject({ code: 0 });
    expect(second.err).toContain("is there already; --again trains anew");
    expect(statSync(decoderFile(run)).mtimeMs).toBe(before.at);
    expect(await decode(run, "--again", "--threads", "2")).toMatchObject({ code: 0 });
    expect(statSync(decoderFile(run)).mtimeMs).not.toBe(before.at);
    expect(sha(decoderFile(run))).toBe(before.sum);
    const how = { run, spec, settings: [], data: null, threads: 1, again: false };
    expect((await prepareDecoder({ ...how, steps: 80 })).training).toBeNull();
    expect((await prepareDecoder({ ...how, steps: 81 })).training).not.toBeNull();
  }, 120_000);

  it("is decoded as its stages say in float64, by the weights of its file", async () => {
    const opened = await openSource(run, "target");
    const decoder = await decoderOfRun(run);
    if (!opened.ok || decoder === null) throw new Error("there is a run with a decoder");
    const { experiment } = opened.source;
    if (experiment.objective !== "ijepa") throw new Error("a run of I-JEPA was opened");
    const images = 2;
    const masks = sampleMasks(experiment.masks, { seed: 3, step: 1, images, firstImage: 0 });
    const pixels = Uint8Array.from({ length: images * 3 * 24 * 24 }, (_, i) => (i * 37) % 256);
    const found = await predict({ ...opened.source, experiment }, pixels, masks, images, decoder);
    await opened.source.close();
    if (!found.ok || found.predicted.pixels === null) throw new Error("nothing was decoded");
    const { C, T } = masks.lengths;
    const numbers = { ...decoder.numbers, images, contextTokens: C, targetTokens: T, pixels: "f32" } as const;
    const model = objectiveOf("ijepa").decoder(numbers, decoder.network);
    if ("why" in model) throw new Error(model.why);
    let x: Dense = {
      dtype: "f32",
      shape: [experiment.masks.targetCount * images, T, experiment.encoder.dim],
      data: Float64Array.from(found.predicted.predictions),
    };
    for (const { graph, blocks } of chainOf(model, "decoder").stages) {
      for (let block = blocks?.from ?? 0; block < (blocks?.to ?? 1); block++) {
        const given = new Map<string, Dense>();
        for (const { name, shape, leaf } of graph.inputs) {
          const data =
            leaf?.path === "decoderPositions" ? positionsOf(experiment, decoder.network.dim) : masks.targetIndex;
          const dtype = leaf?.path === "targetIndex" ? "i32" : "f32";
          const sizes = shape.map((num) => sizeOf(num));
          given.set(name, leaf === undefined ? x : { dtype, shape: sizes, data: Float64Array.from(data) });
        }
        for (const { path, parameters } of graph.groups) {
          for (const { name, shape, parameter } of parameters) {
            const at = `${path.replace("*", String(block))}.${parameter?.path}`;
            const sizes = shape.map((num) => sizeOf(num));
            const officialName = at.replace(/^decoder\./, "");
            const transposed = sizes.length === 2;
            const officialShape = transposed ? [...sizes].reverse() : sizes;
            const init = { kind: "zeros" } as const;
            const values = decoder.weight({ path: at, shape: sizes, officialName, officialShape, transposed, init });
            given.set(name, { dtype: "f32", shape: sizes, data: Float64Array.from(values) });
          }
        }
        const made = runGraph(graph, given).get(graph.outputs[0]?.name ?? "");
        if (made === undefined) throw new Error("a stage that gives nothing");
        x = made;
      }
    }
    const furthest = found.predicted.pixels.predictions.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (x.data[i] ?? Number.NaN))),
      0,
    );
    expect(furthest).toBeLessThan(1e-4);
  });
});

describe("what is measured", () => {
  it("paints target blocks alone, and counts errors as they are", async () => {
    const { pixels, draws, experiment, errors, images, decoder } = await decodingOfRun(run);
    const { width, height, patch, gridWidth } = experiment.image;
    const plane = width * height;
    const patchAt = (place: number): number =>
      Math.floor((Math.floor(place / width) % height) / patch) * gridWidth + Math.floor((place % width) / patch);
    let [sum, values] = [0, 0];
    for (const { masks, own } of draws) {
      const { U } = masks.lengths;
      for (let place = 0; place < pixels.length; place++) {
        const image = Math.floor(place / (3 * plane));
        const times = [...masks.targetIndex.subarray(image * U, (image + 1) * U)].filter(
          (at) => at === patchAt(place),
        ).length;
        if (times === 0) expect(own[place]).toBe(pixels[place]);
        sum += times * (((decoder.meanImage[place % (3 * plane)] ?? 0) - (pixels[place] ?? 0)) / 255) ** 2;
        values += times;
      }
    }
    expect(values).toBeGreaterThan(images);
    expect(errors.meanImage).toBeCloseTo(sum / values, 8);
  });
});

describe("a report", () => {
  it("shows the decoder of a run, and says so where it is another encoder's", async () => {
    const shown = await reportRuns({ runs: [run], out: null, root: folder, images: 8 });
    if (!shown.ok) throw new Error("there is a run");
    const page = readFileSync(shown.file, "utf8");
    expect(shown.warnings).toEqual([]);
    expect(page).toContain("What the predictor expects");
    expect(page).toMatch(/A decoder was trained for 80 steps on 64 training images/);
    expect(page.match(/id="decoded-0-predicted-\d-\d"/g)).toHaveLength(12);
    const other = join(folder, "other");
    await makeRun(other, (path, values) => {
      if (path.startsWith("target.blocks.0.")) values.fill(0.1);
    });
    cpSync(join(run, "decoder"), join(other, "decoder"), { recursive: true });
    const stale = await reportRuns({ runs: [other], out: null, root: folder, images: 8 });
    if (!stale.ok) throw new Error("there is a run");
    expect(stale.warnings).toMatchObject([
      { code: "W307", found: expect.stringContaining("another target encoder than the checkpoint's") },
    ]);
    expect(readFileSync(stale.file, "utf8")).not.toContain("A decoder was trained");
  });
});

describe("what cannot be decoded is a sentence", () => {
  it.each<readonly [what: string, make: (at: string) => Promise<readonly string[]>, code: number, says: RegExp]>([
    ["no run", async (at) => [at], 2, /E450 the folder is no run/],
    [
      "a run without a checkpoint",
      async (at) => {
        const { checkpoint } = await makeRun(at);
        rmSync(checkpoint);
        return [at, "--spec", spec];
      },
      2,
      /E451 the run has no checkpoint/,
    ],
    [
      "a spec that was edited since",
      async (at) => {
        await makeRun(at);
        const edited = join(folder, "edited.json");
        writeFileSync(edited, JSON.stringify({ ...smallSpec, seed: 7 }));
        return [at, "--spec", edited];
      },
      2,
      /R166: .*edited\.json is not the spec that .* was trained from/,
    ],
    [
      "a spec that is wrong",
      async (at) => {
        await makeRun(at);
        const wrong = join(folder, "wrong.json");
        writeFileSync(wrong, JSON.stringify({ ...smallSpec, seed: -1 }));
        return [at, "--spec", wrong];
      },
      1,
      /wrong\.json:1:\d+ E204 seed: out of range/,
    ],
    [
      "a spec that is nowhere",
      async (at) => {
        await makeRun(at);
        return [at];
      },
      2,
      /R165: .*Name it with --spec\./,
    ],
    [
      "a masked autoencoder",
      async (at) => {
        const { predictor: _, masking: __, ...others } = smallSpec;
        const mae = { ...others, objective: "mae", decoder: { dim: 16, depth: 1, heads: 4 } };
        await makeRun(at, undefined, mae);
        const file = join(folder, "mae.json");
        writeFileSync(file, JSON.stringify(mae));
        return [at, "--spec", file];
      },
      2,
      /E479 the run has no predicted representations to decode\n.*a masked autoencoder has no predictor of representations/s,
    ],
    [
      "a predictor of pixels",
      async (at) => {
        const ofPixels = { ...smallSpec, targets: { space: "pixels" } };
        await makeRun(at, undefined, ofPixels);
        const file = join(folder, "pixels.json");
        writeFileSync(file, JSON.stringify(ofPixels));
        return [at, "--spec", file];
      },
      2,
      /E479 .*its predictor predicts pixels, which need no decoder/s,
    ],
    ["no number of steps", async () => [run, "--steps", "0"], 2, /--steps is "0"/],
  ])("%s", async (what, make, code, says) => {
    const at = join(folder, what.replaceAll(" ", "-"));
    const said = await ijepa("decode", ...(await make(at)));
    expect(said.err).toMatch(says);
    expect(said.code).toBe(code);
    expect(existsSync(join(at, "decoder"))).toBe(false);
  });

  it("a decoder that is damaged is left out of a report, and trained anew", async () => {
    const at = join(folder, "damaged");
    cpSync(run, at, { recursive: true });
    truncateSync(decoderFile(at), 5000);
    const reported = await reportRuns({ runs: [at], out: null, root: folder, images: 8 });
    if (!reported.ok) throw new Error("there is a run");
    expect(reported.warnings).toMatchObject([
      { code: "W307", found: expect.stringMatching(/^R140: .*decoder\.safetensors/) },
    ]);
    expect(await decode(at)).toMatchObject({ code: 0 });
    expect(sha(decoderFile(at))).toBe(sha(decoderFile(run)));
  }, 60_000);
});

it.each([
  [{ own: 0.01, predicted: 0.02, meanImage: 0.03 }, /^predictions go 50 % of the way/],
  [{ own: 0.01, predicted: 0.03, meanImage: 0.03 }, /^predictions are decoded no nearer than the mean image$/],
  [{ own: 0.03, predicted: 0.02, meanImage: 0.03 }, /^the decoder is no nearer than the mean image even with/],
] as const)("%o in words", (errors, says) => {
  expect(foundText({ ...errors, contextColour: 0.04 })).toMatch(says);
});

it("every kind of target compiles to a program whose types hold", () => {
  for (const change of [{}, { targets: { normalize: false } }, { targets: { maskedAt: "input" } }]) {
    const loaded = specFromText({ text: JSON.stringify({ ...smallSpec, ...change }), file: "small.json" });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const compiled = compileDecoder({ spec: loaded.spec, settings: [], steps: 5 });
    if (!compiled.ok) throw new Error(compiled.why);
    expect(typeErrors(folder, compiled.typescript), JSON.stringify(change)).toEqual([]);
  }
});
