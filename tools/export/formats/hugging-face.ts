/** A folder that Hugging Face's model of an objective loads (evaluation.md, "File conventions"). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rowsByPixel } from "../../../runtime/checkpoint/from-others";
import { huggingFaceDecoderNames, huggingFaceNames } from "../../../runtime/checkpoint/layouts";
import { writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import type { Experiment, ExperimentOf, ObjectiveName } from "../../../runtime/experiment";
import { objectives } from "../../../runtime/objectives";
import { type ExportFormat, imageSize, json, provenance, toWrite } from "../format";
import type { ExportSource, SourceTensor } from "../source";

/** What each objective's encoder has of its own in its configuration there. */
const configs: {
  readonly [Name in ObjectiveName]: (experiment: ExperimentOf<Name>) => Readonly<Record<string, unknown>>;
} = {
  ijepa: () => ({ model_type: "ijepa" }),
  mae: ({ decoder, masks: { programs } }) => {
    const [{ contextTokens = 1, targetTokens = 3 } = {}] = programs;
    return {
      model_type: "vit_mae",
      decoder_hidden_size: decoder.dim,
      decoder_intermediate_size: decoder.hidden,
      decoder_num_attention_heads: decoder.heads,
      decoder_num_hidden_layers: decoder.depth,
      mask_ratio: targetTokens / (contextTokens + targetTokens),
    };
  },
  // What one linear layer predicts of a token are the pixels of its patch.
  simmim: ({ image }) => ({ model_type: "vit", encoder_stride: image.patch }),
  data2vec: () => ({
    model_type: "data2vec-vision",
    drop_path_rate: 0,
    layer_scale_init_value: 0,
    use_absolute_position_embeddings: true,
    use_mask_token: true,
    use_mean_pooling: false,
    use_relative_position_bias: false,
    use_shared_relative_position_bias: false,
  }),
};

const notes: { readonly [Name in ObjectiveName]: string } = {
  ijepa: "The encoder has no class token: the mean over patches is what is evaluated.",
  mae: "The mean over patches, without the class token, is what is evaluated. ViTMAEModel loads it as well, and leaves the decoder.",
  simmim:
    "The mean over patches, without the class token, is what is evaluated. ViTModel loads it as well, and leaves the head and the mask token.",
  data2vec:
    "The mean over patches, without the class token, is what is evaluated. Data2VecVisionModel's keys have no bias, and " +
    "none is missed: a bias of the keys moves all scores of a query alike, which softmax takes out. The head is not in it: that model has none, and a training that begins with it draws its head anew.",
};

type Whole = (encoder: readonly SourceTensor[], source: ExportSource) => readonly SourceTensor[];

const encoderAlone: Whole = (encoder) => encoder;

/** What their class has of it: the encoder, by its names there, and what stands behind it. */
const wholes: { readonly [Name in ObjectiveName]: Whole } = {
  ijepa: encoderAlone,
  // Behind the encoder the decoder, with the position of its class token, which is zero too.
  mae: (encoder, { all }) => [
    ...encoder.map((tensor) => ({ ...tensor, name: `vit.${tensor.name}` })),
    ...all.flatMap(({ name, shape, read }) => {
      const [, official] = /^decoder\.(.*)$/.exec(name) ?? [];
      if (official === undefined) return [];
      const names = huggingFaceDecoderNames(official);
      if (official === "decoder_pos_embed") return [withTokenRow({ name: names.join(), shape, read })];
      const theirs = official.startsWith("decoder_pred.") ? rowsByPixel({ shape, read }) : { shape, read };
      return apart(names, theirs);
    }),
  ],
  // The head is a convolution there, over single tokens; its values are in the order of ours.
  simmim: (encoder, { all }) => [
    ...encoder.map((tensor) => ({ ...tensor, name: `vit.${tensor.name}` })),
    ...all.flatMap(({ name, shape, read }) => {
      const [, kind] = /^head\.proj\.(weight|bias)$/.exec(name) ?? [];
      if (kind === undefined) return [];
      return [{ name: `decoder.0.${kind}`, shape: kind === "weight" ? [...shape, 1, 1] : shape, read }];
    }),
  ],
  // Their keys have no bias, and need none.
  data2vec: (encoder) => encoder.filter(({ name }) => !name.endsWith(".attention.attention.key.bias")),
};

export function huggingFaceConfig(experiment: Experiment): Readonly<Record<string, unknown>> {
  const { dim, depth, heads, hidden } = experiment.encoder;
  // Each entry takes experiments of its own objective.
  const config = configs[experiment.objective] as (experiment: Experiment) => Readonly<Record<string, unknown>>;
  return {
    architectures: [objectives[experiment.objective].handsOn.model],
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
    ...config(experiment),
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

/** Their configurations refuse a whole number where they want a fraction, and JSON.stringify knows no `0.0`. */
const withFractions = (config: string): string => config.replace(/"layer_scale_init_value": 0(?=[,\n])/, "$&.0");

export function writeConfigs(folder: string, experiment: Experiment, more: Readonly<Record<string, unknown>> = {}) {
  const config = json({ ...huggingFaceConfig(experiment), ...more });
  writeFileSync(join(folder, "config.json"), withFractions(config));
  writeFileSync(join(folder, "preprocessor_config.json"), json(preprocessorConfig(experiment)));
}

/** The tensors under Hugging Face's names, with query, key and value apart. */
function renamed(encoder: readonly SourceTensor[]): readonly SourceTensor[] {
  const hasToken = encoder.some(({ name }) => name === "cls_token");
  return encoder.flatMap(({ name, shape, read }) => {
    const names = huggingFaceNames(name);
    if (name === "pos_embed" && hasToken) return [withTokenRow({ name: names.join(), shape, read })];
    return apart(names, { shape, read });
  });
}

/** A tensor under its name there, or its rows in equal parts under several. */
function apart(names: readonly string[], { shape, read }: Omit<SourceTensor, "name">): readonly SourceTensor[] {
  const [rows = 0, ...rest] = shape;
  return names.map((name, part) => ({
    name,
    shape: [rows / names.length, ...rest],
    read: async () => {
      const values = await read();
      const size = values.length / names.length;
      return names.length === 1 ? values : values.slice(part * size, (part + 1) * size);
    },
  }));
}

/** Their table has a row for the class token, which is zero: [1, 1 + patches, width]. */
function withTokenRow({ name, shape: [one = 1, patches = 0, width = 0], read }: SourceTensor): SourceTensor {
  return {
    name,
    shape: [one, 1 + patches, width],
    read: async () => {
      const rows = new Float32Array((1 + patches) * width);
      rows.set(await read(), width);
      return rows;
    },
  };
}

export const huggingFace: ExportFormat = {
  purpose:
    "a folder for IJepaModel, ViTMAEForPreTraining, ViTForMaskedImageModeling or Data2VecVisionModel of Hugging Face transformers",
  library: "transformers",
  objectives: ["ijepa", "mae", "simmim", "data2vec"],
  precisions: [],
  make: async ({ source, folder, out }) => {
    const { objective } = source.experiment;
    const tensors = wholes[objective](renamed(source.encoder), source);
    await writeSafetensors(join(folder, "model.safetensors"), {
      metadata: provenance(source),
      tensors: toWrite(tensors),
    });
    writeConfigs(folder, source.experiment);
    const { model, options, encoder = "", features } = objectives[objective].handsOn;
    return {
      loading: {
        language: "python",
        lines: [
          `from transformers import ${model}`,
          `model = ${model}.from_pretrained(${JSON.stringify(out)}${options})${encoder}.eval()`,
          `features = model(pixel_values).${features}`,
        ],
      },
      notes: [notes[objective]],
    };
  },
};
