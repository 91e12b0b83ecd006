/** Exports of data2vec: its names in Hugging Face's form, and what comes back. Data2VecVisionModel itself is in python.test.ts. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readHeader } from "../../../runtime/checkpoint/safetensors";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import { openWeights } from "../../../runtime/checkpoint/weights-file";
import { exportRun } from "../../../tools/export/export";
import type { FormatName } from "../../../tools/export/format";
import { ExportRefused } from "../../../tools/export/refused";
import { furthest, makeRun, type SmallRun, smallData2vecSpec } from "../../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-export-data2vec-"));
const from = join(folder, "run");
let run: SmallRun;
beforeAll(async () => {
  run = await makeRun(from, undefined, smallData2vecSpec);
});
afterAll(() => rmSync(folder, { recursive: true }));

const exported = (format: FormatName) =>
  exportRun({ from, format, encoder: "target", precision: "fp32", images: null, out: join(folder, format) });

test("Hugging Face's folder has every key of Data2VecVisionModel, and no other", async () => {
  const made = await exported("hf");
  const { tensors } = await readHeader(join(made.folder, "model.safetensors"));
  const both = (name: string): string[] => [`${name}.weight`, `${name}.bias`];
  const block = (i: number): string[] => {
    const at = `encoder.layer.${i}`;
    return [
      ...both(`${at}.layernorm_before`),
      ...both(`${at}.attention.attention.query`),
      `${at}.attention.attention.key.weight`,
      ...both(`${at}.attention.attention.value`),
      ...both(`${at}.attention.output.dense`),
      ...both(`${at}.layernorm_after`),
      ...both(`${at}.intermediate.dense`),
      ...both(`${at}.output.dense`),
    ];
  };
  const embeddings = ["cls_token", "mask_token", "position_embeddings"].map((name) => `embeddings.${name}`);
  const wanted = [
    ...embeddings,
    ...both("embeddings.patch_embeddings.projection"),
    ...block(0),
    ...block(1),
    ...both("layernorm"),
  ];
  expect([...tensors.keys()].sort()).toEqual(wanted.sort());
  expect(tensors.get("embeddings.position_embeddings")?.shape).toEqual([1, 37, 32]);
  const config: unknown = JSON.parse(readFileSync(join(made.folder, "config.json"), "utf8"));
  expect(config).toMatchObject({
    architectures: ["Data2VecVisionModel"],
    model_type: "data2vec-vision",
    layer_scale_init_value: 0,
    use_absolute_position_embeddings: true,
    use_mask_token: true,
    use_mean_pooling: false,
  });
  expect(readFileSync(join(made.folder, "README.md"), "utf8")).toContain("22 of 36 patches, in blocks");
});

test("weights come back from it, but for the bias of keys, which is of no matter", async () => {
  const made = await exported("hf");
  const state = new Map<string, Float32Array>();
  await loadWeights({
    path: made.folder,
    parameters: run.parameters,
    write: async (path, values) => void state.set(path, values),
  });
  const ofTarget = [...state].filter(([path]) => path.startsWith("target."));
  for (const [path, values] of ofTarget) {
    const wanted = Float32Array.from(await run.read(path));
    if (path.endsWith("attn.qkv.bias")) wanted.fill(0, 32, 64);
    expect(values, path).toEqual(wanted);
  }
  expect(ofTarget.map(([path]) => path)).toContain("target.maskToken");
  const { leftOver, close } = await openWeights(made.folder);
  await close();
  expect(leftOver).toEqual([]);
});

test("the ONNX model is the target encoder", async () => {
  const made = await exported("onnx");
  const session = await InferenceSession.create(join(made.folder, "model.onnx"));
  const pixels = run.pixels(2);
  const { last_hidden_state: output } = await session.run({
    pixel_values: new Tensor("float32", pixels, [2, 3, 24, 24]),
  });
  await session.release();
  expect(output?.dims).toEqual([2, 37, 32]);
  expect(furthest(output?.data as Float32Array, await run.encode(pixels, "target"))).toBeLessThan(1e-4);
});

test.each(["timm", "official", "transformers.js"] as const)("%s is refused", async (format) => {
  await expect(exported(format)).rejects.toThrow(ExportRefused);
});
