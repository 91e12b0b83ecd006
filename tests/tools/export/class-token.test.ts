/**
 * Encoders with a class token, exported: what transformers saved of a ViTMAEForPreTraining and a ViTForMaskedImageModeling
 * (tests/golden/transformers/*-model) goes through `ijepa import`, a run and an export, and comes back whole and as it was, the
 * decoder and the head with it; the ONNX model gives our features.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../../runtime/checkpoint/safetensors";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import { exportRun } from "../../../tools/export/export";
import type { FormatName } from "../../../tools/export/format";
import { importWeights } from "../../../tools/import/weights";
import { furthest, makeRun, type SmallRun } from "../../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-class-token-"));
/** The sizes of both models. */
const common = {
  image: { size: 14 },
  encoder: { dim: 12, depth: 1, heads: 3, patch: 2, mlpRatio: 3.3, classToken: true },
  data: { source: "shapes", trainImages: 64, validationImages: 32, testImages: 32, sceneSize: 14 },
  optimization: { epochs: 2, globalBatch: 16, learningRate: { warmupEpochs: 1 } },
};
const specs = {
  mae: { ...common, objective: "mae", decoder: { dim: 20, depth: 1, heads: 5 } },
  simmim: { ...common, objective: "simmim" },
} as const;
const models = { mae: "mae_pixels-model", simmim: "simmim_one_block-model" } as const;
const modelOf = (objective: keyof typeof models): string =>
  fileURLToPath(new URL(`../../golden/transformers/${models[objective]}`, import.meta.url));

/** A run that has the weights of the model, by way of `ijepa import`. */
async function runOf(objective: keyof typeof models): Promise<SmallRun> {
  const spec = specs[objective];
  const { parameters } = await makeRun(join(folder, `drawn-${objective}`), undefined, spec);
  const weights = new Map<string, Float32Array>();
  const path = join(folder, `${objective}.safetensors`);
  await importWeights(modelOf(objective), path);
  const { notes } = await loadWeights({
    ...{ path, parameters, objective, averages: false },
    write: async (path, values) => void weights.set(path, values),
  });
  expect(notes).toEqual([]);
  expect([...weights.keys()].sort()).toEqual(parameters.map(({ path }) => `weights.${path}`).sort());
  return makeRun(join(folder, `run-${objective}`), (path, values) => values.set(weights.get(path) ?? values), spec);
}

let runs: Readonly<Record<keyof typeof models, SmallRun>>;
beforeAll(async () => {
  runs = { mae: await runOf("mae"), simmim: await runOf("simmim") };
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const exported = (objective: keyof typeof models, format: FormatName) => {
  const out = join(folder, `${objective}-${format}`);
  const from = join(folder, `run-${objective}`);
  return exportRun({ from, format, out, encoder: "target", precision: "fp32", images: null });
};

describe.each([
  ["ViTMAEForPreTraining", "mae"],
  ["ViTForMaskedImageModeling", "simmim"],
] as const)("a whole %s, in and out again", (architecture, objective) => {
  it("has the names, shapes and values that transformers saved of it, and no others", async () => {
    const made = await exported(objective, "hf");
    const ours = (await readSafetensors(join(made.folder, "model.safetensors"))).tensors;
    const saved = (await readSafetensors(join(modelOf(objective), "model.safetensors"))).tensors;
    // Released files have names of their own for the decoder's blocks, and all versions of the library read those.
    const theirs = new Map(
      [...saved].map(([name, tensor]) => [name.replace("decoder_encoder.layer", "decoder_layers"), tensor] as const),
    );
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, { shape, values }] of theirs) {
      const own = ours.get(name);
      expect(own?.shape, name).toEqual(shape);
      // Both compute the sines by themselves.
      if (/position_embeddings$|pos_embed$/.test(name)) {
        expect(furthest(own?.values as Float32Array, values as Float32Array)).toBeLessThan(2.5e-7);
      } else {
        expect(own?.values, name).toEqual(values);
      }
    }
  });

  it("has a configuration of its sizes", async () => {
    const made = await exported(objective, "hf");
    const read = (path: string) => JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
    const {
      architectures,
      mask_ratio,
      norm_pix_loss,
      transformers_version,
      dtype,
      pooler_act,
      pooler_output_size,
      ...theirs
    } = read(modelOf(objective));
    expect(architectures).toEqual([architecture]);
    expect(read(made.folder)).toMatchObject({ ...theirs, architectures });
  });
});

describe("as ONNX", () => {
  it("gives our features of every patch", async () => {
    const made = await exported("mae", "onnx");
    const session = await InferenceSession.create(join(made.folder, "model.onnx"));
    const run = runs.mae;
    const pixels = run.pixels(3);
    const { last_hidden_state: output } = await session.run({
      pixel_values: new Tensor("float32", pixels, [3, 3, 14, 14]),
    });
    await session.release();
    const ours = await run.encode(pixels, "weights.encoder");
    // The class token and 7×7 patches.
    expect(output?.dims).toEqual([3, 50, 12]);
    expect(furthest(output?.data as Float32Array, ours)).toBeLessThan(1e-4);
    expect(Math.max(...ours)).toBeGreaterThan(0.5);
  });
});
