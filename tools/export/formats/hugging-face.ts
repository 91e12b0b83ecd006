/** A folder that Hugging Face's IJepaModel loads (evaluation.md, "File conventions"). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { huggingFaceNames } from "../../../runtime/checkpoint/layouts";
import { writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import type { Experiment } from "../../../runtime/experiment";
import { type ExportFormat, imageSize, json, provenance, toWrite } from "../format";
import type { SourceTensor } from "../source";

export function huggingFaceConfig(experiment: Experiment): Readonly<Record<string, unknown>> {
  const { dim, depth, heads, hidden } = experiment.encoder;
  return {
    architectures: ["IJepaModel"],
    attention_probs_dropout_prob: 0,
    dtype: "float32",
    hidden_act: "gelu",
    hidden_dropout_prob: 0,
    hidden_size: dim,
    image_size: imageSize(experiment),
    initializer_range: 0.02,
    intermediate_size: hidden,
    // Their default, 1e-12, is not what this model is trained with.
    layer_norm_eps: 1e-6,
    mlp_ratio: hidden / dim,
    model_type: "ijepa",
    num_attention_heads: heads,
    num_channels: 3,
    num_hidden_layers: depth,
    patch_size: experiment.image.patch,
    qkv_bias: true,
    torch_dtype: "float32",
  };
}

/** Resizes to the size of training, without a crop, bilinear; then the mean and deviation of the experiment. */
export function preprocessorConfig({ image }: Experiment): Readonly<Record<string, unknown>> {
  return {
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: image.mean,
    image_processor_type: "ViTImageProcessor",
    image_std: image.std,
    resample: 2,
    rescale_factor: 1 / 255,
    size: { height: image.height, width: image.width },
  };
}

export function writeConfigs(folder: string, experiment: Experiment, more: Readonly<Record<string, unknown>> = {}) {
  writeFileSync(join(folder, "config.json"), json({ ...huggingFaceConfig(experiment), ...more }));
  writeFileSync(join(folder, "preprocessor_config.json"), json(preprocessorConfig(experiment)));
}

/** The tensors under Hugging Face's names, with query, key and value apart. */
function renamed(encoder: readonly SourceTensor[]): readonly SourceTensor[] {
  return encoder.flatMap(({ name, shape, read }) => {
    const names = huggingFaceNames(name);
    const [rows = 0, ...rest] = shape;
    return names.map((given, third): SourceTensor => {
      if (names.length === 1) return { name: given, shape, read };
      const part = async (): Promise<Float32Array> => {
        const values = await read();
        const size = values.length / names.length;
        return values.slice(third * size, (third + 1) * size);
      };
      return { name: given, shape: [rows / names.length, ...rest], read: part };
    });
  });
}

export const huggingFace: ExportFormat = {
  purpose: "a folder for IJepaModel of Hugging Face transformers",
  library: "transformers",
  precisions: [],
  make: async ({ source, folder, out }) => {
    const content = { metadata: provenance(source), tensors: toWrite(renamed(source.encoder)) };
    await writeSafetensors(join(folder, "model.safetensors"), content);
    writeConfigs(folder, source.experiment);
    return {
      loading: {
        language: "python",
        lines: [
          "from transformers import IJepaModel",
          `model = IJepaModel.from_pretrained(${JSON.stringify(out)}).eval()`,
          "features = model(pixel_values).last_hidden_state.mean(1)",
        ],
      },
      notes: ["The encoder has no class token: the mean over patches is what is evaluated."],
    };
  },
};
