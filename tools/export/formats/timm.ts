/** A folder that timm loads by `local-dir:` (official names, model.safetensors beside config.json). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import type { Experiment } from "../../../runtime/experiment";
import { type ExportFormat, imageSize, json, provenance, toWrite } from "../format";

/** Models of timm with average pooling and without a class token, by their numbers. Its vit_base_patch16_gap_224 has 16 heads. */
const known: readonly (Experiment["encoder"] & {
  readonly name: string;
  readonly patch: number;
  readonly size: number;
})[] = [
  { name: "vit_huge_patch14_gap_224", dim: 1280, depth: 32, heads: 16, hidden: 5120, patch: 14, size: 224 },
  { name: "vit_huge_patch16_gap_448", dim: 1280, depth: 32, heads: 16, hidden: 5120, patch: 16, size: 448 },
  { name: "vit_giant_patch16_gap_224", dim: 1408, depth: 40, heads: 16, hidden: 6144, patch: 16, size: 224 },
];

/** The model that others are made from by arguments. */
const general = "vit_huge_patch14_gap_224";

export interface TimmModel {
  readonly architecture: string;
  /** Arguments of create_model; null where the name says it all. */
  readonly args: Readonly<Record<string, unknown>> | null;
}

export function timmModel(experiment: Experiment): TimmModel {
  const { image, encoder } = experiment;
  const { dim, depth, heads, hidden } = encoder;
  const same = known.find(
    (model) =>
      model.dim === dim &&
      model.depth === depth &&
      model.heads === heads &&
      model.hidden === hidden &&
      model.patch === image.patch &&
      model.size === image.height &&
      model.size === image.width,
  );
  if (same !== undefined) return { architecture: same.name, args: null };
  const args = {
    img_size: imageSize(experiment),
    patch_size: image.patch,
    embed_dim: dim,
    depth,
    num_heads: heads,
    mlp_ratio: ratioOf(dim, hidden),
  };
  return { architecture: general, args };
}

/** A ratio whose product with the width timm rounds down to the hidden width. */
function ratioOf(dim: number, hidden: number): number {
  const ratio = hidden / dim;
  return Math.floor(dim * ratio) === hidden ? ratio : (hidden + 0.5) / dim;
}

export const timm: ExportFormat = {
  purpose: "a folder for timm.create_model",
  library: "timm",
  objectives: ["ijepa"],
  precisions: [],
  make: async ({ source, folder, out }) => {
    const { experiment } = source;
    const { image, encoder } = experiment;
    const { architecture, args } = timmModel(experiment);
    await writeSafetensors(join(folder, "model.safetensors"), {
      metadata: provenance(source),
      tensors: toWrite(source.encoder),
    });
    const config = {
      architecture,
      num_classes: 0,
      num_features: encoder.dim,
      global_pool: "avg",
      ...(args === null ? {} : { model_args: args }),
      pretrained_cfg: {
        tag: "ijepa",
        input_size: [3, image.height, image.width],
        fixed_input_size: true,
        interpolation: "bilinear",
        crop_pct: 1,
        crop_mode: "squash",
        mean: image.mean,
        std: image.std,
        num_classes: 0,
        pool_size: null,
        first_conv: "patch_embed.proj",
        classifier: "head",
      },
    };
    writeFileSync(join(folder, "config.json"), json(config));
    return {
      loading: {
        language: "python",
        lines: [
          "import timm",
          `model = timm.create_model(${JSON.stringify(`local-dir:${out}`)}, pretrained=True).eval()`,
          "features = model(pixel_values)  # mean over patches; forward_features gives them all",
        ],
      },
      notes:
        args === null
          ? [`This is ${architecture} of timm.`]
          : [
              `timm has no name for this size: config.json makes it of ${architecture} with ` +
                `${Object.entries(args)
                  .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
                  .join(", ")}.`,
            ],
    };
  },
};
