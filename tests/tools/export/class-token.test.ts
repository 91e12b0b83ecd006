/**
 * An encoder with a class token, exported: the weights that transformers saved of a ViTMAEForPreTraining
 * (tests/golden/transformers/mae_pixels-model) go through a run and come back as they were; the ONNX model gives our features.
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
import { furthest, makeRun, type SmallRun } from "../../support/exported";

const model = fileURLToPath(new URL("../../golden/transformers/mae_pixels-model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ijepa-class-token-"));
const from = join(folder, "run");
/** The sizes of that model. */
const spec = {
  objective: "mae",
  image: { size: 14 },
  encoder: { dim: 12, depth: 1, heads: 3, patch: 2, mlpRatio: 3.3, classToken: true },
  decoder: { dim: 20, depth: 1, heads: 5 },
  data: { source: "shapes", trainImages: 64, validationImages: 32, testImages: 32, sceneSize: 14 },
  optimization: { epochs: 2, globalBatch: 16, learningRate: { warmupEpochs: 1 } },
};

let run: SmallRun;
beforeAll(async () => {
  const { parameters } = await makeRun(join(folder, "drawn"), undefined, spec);
  const weights = new Map<string, Float32Array>();
  const write = async (path: string, values: Float32Array) => void weights.set(path, values);
  await loadWeights({ path: model, parameters, averages: false, write });
  run = await makeRun(from, (path, values) => values.set(weights.get(path) ?? values), spec);
});
afterAll(() => rmSync(folder, { recursive: true }));

const exported = (format: FormatName) =>
  exportRun({ from, format, out: join(folder, format), encoder: "target", precision: "fp32", images: null });

describe("as ViTMAEModel", () => {
  it("has the names, shapes and values that transformers saved of it, and no others", async () => {
    const made = await exported("hf");
    const ours = (await readSafetensors(join(made.folder, "model.safetensors"))).tensors;
    const saved = (await readSafetensors(join(model, "model.safetensors"))).tensors;
    const theirs = new Map(
      [...saved].flatMap(([name, tensor]) => (name.startsWith("vit.") ? [[name.slice(4), tensor] as const] : [])),
    );
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, { shape, values }] of theirs) {
      const own = ours.get(name);
      expect(own?.shape, name).toEqual(shape);
      // Both compute the sines by themselves.
      if (name.endsWith("position_embeddings")) {
        expect(furthest(own?.values as Float32Array, values as Float32Array)).toBeLessThan(2.5e-7);
      } else {
        expect(own?.values, name).toEqual(values);
      }
    }
  });

  it("has a configuration of its sizes", async () => {
    const made = await exported("hf");
    const read = (path: string) => JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
    const { architectures, mask_ratio, norm_pix_loss, transformers_version, dtype, ...theirs } = read(model);
    expect(read(made.folder)).toMatchObject({ ...theirs, architectures: ["ViTMAEModel"] });
  });
});

describe("as ONNX", () => {
  it("gives our features of every patch", async () => {
    const made = await exported("onnx");
    const session = await InferenceSession.create(join(made.folder, "model.onnx"));
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
