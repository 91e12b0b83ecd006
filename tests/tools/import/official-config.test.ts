/** The released configurations, written anew from what reference.md §11 lists of them: YAML → spec → YAML, and the spec beside ours. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { specFromText } from "../../../compiler/spec/load";
import { configFromSpec, specFromConfig } from "../../../tools/import/official-config";

const common = {
  data: {
    color_jitter_strength: 0,
    crop_scale: [0.3, 1],
    image_folder: "imagenet_full_size/061417/",
    num_workers: 10,
    pin_mem: true,
    root_path: "/datasets",
    use_color_distortion: false,
    use_gaussian_blur: false,
    use_horizontal_flip: false,
  },
  mask: {
    allow_overlap: false,
    aspect_ratio: [0.75, 1.5],
    enc_mask_scale: [0.85, 1],
    min_keep: 10,
    num_enc_masks: 1,
    num_pred_masks: 4,
    pred_mask_scale: [0.15, 0.2],
  },
  meta: { copy_data: false, load_checkpoint: false, pred_emb_dim: 384, read_checkpoint: null, use_bfloat16: true },
  optimization: {
    ema: [0.996, 1],
    final_lr: 1e-6,
    final_weight_decay: 0.4,
    ipe_scale: 1,
    lr: 1e-3,
    start_lr: 2e-4,
    weight_decay: 0.04,
  },
} as const;

interface Released {
  readonly model: string;
  readonly patch: number;
  readonly crop: number;
  readonly batch: number;
  readonly predDepth: number;
  readonly epochs: number;
  readonly warmup: number;
  readonly images: number;
}

const released: Readonly<Record<string, Released>> = {
  in1k_vith14_ep300: {
    model: "vit_huge",
    patch: 14,
    crop: 224,
    batch: 128,
    predDepth: 12,
    epochs: 300,
    warmup: 40,
    images: 1281167,
  },
  "in1k_vith16-448_ep300": {
    model: "vit_huge",
    patch: 16,
    crop: 448,
    batch: 16,
    predDepth: 12,
    epochs: 300,
    warmup: 40,
    images: 1281167,
  },
  in22k_vith14_ep66: {
    model: "vit_huge",
    patch: 14,
    crop: 224,
    batch: 32,
    predDepth: 12,
    epochs: 66,
    warmup: 3,
    images: 14197122,
  },
  in22k_vitg16_ep44: {
    model: "vit_giant",
    patch: 16,
    crop: 224,
    batch: 16,
    predDepth: 16,
    epochs: 44,
    warmup: 3,
    images: 14197122,
  },
};

function configOf(name: string): object {
  const of = released[name];
  if (of === undefined) throw new Error(name);
  return {
    data: { ...common.data, batch_size: of.batch, crop_size: of.crop },
    logging: { folder: `logs/${name}-bs.2048-ep.${of.epochs}/`, write_tag: "jepa" },
    mask: { ...common.mask, patch_size: of.patch },
    meta: { ...common.meta, model_name: of.model, pred_depth: of.predDepth },
    optimization: { ...common.optimization, epochs: of.epochs, warmup: of.warmup },
  };
}

const read = (text: string, images: number | null = null, gpus: number | null = null) =>
  specFromConfig({ file: "x.yaml", text, images, gpus });

function specOf(name: string, text: string, images: number) {
  const found = read(text, images);
  if (!found.ok) throw new Error(JSON.stringify(found.diagnostics));
  const loaded = specFromText({ text: JSON.stringify(found.spec), file: `${name}.json` });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.spec;
}

describe.each(Object.keys(released))("%s", (name) => {
  const images = released[name]?.images ?? 0;
  const text = stringify(configOf(name));

  test("survives YAML → spec → YAML", () => {
    const back = configFromSpec(specOf(name, text, images), `${name}.json`);
    if (!back.ok) throw new Error(JSON.stringify(back.diagnostics));
    expect(parse(back.text)).toEqual(parse(text));
  });

  test("is the experiment that lies here, but for where it runs", () => {
    const file = new URL(`../../../experiments/official/${name}.json`, import.meta.url);
    const ours = specFromText({ text: readFileSync(file, "utf8"), file: `${name}.json` });
    if (!ours.ok) throw new Error(JSON.stringify(ours.diagnostics));
    const { description: _, hardware: __, data, ...theirs } = specOf(name, text, images);
    const { description: ___, hardware: ____, data: ourData, ...rest } = ours.spec;
    expect(theirs).toEqual(rest);
    expect({ ...data, train: "" }).toEqual({ ...ourData, train: "" });
  });
});

describe("values", () => {
  const change = (section: string, more: object): string => {
    const config = parse(stringify(configOf("in1k_vith14_ep300")));
    return stringify({ ...config, [section]: { ...config[section], ...more } });
  };
  const cases: readonly [section: string, more: object, says: RegExp][] = [
    ["meta", { model_name: "vit_titanic" }, /meta\.model_name .*"vit_titanic"; want vit_tiny/],
    ["data", { use_gaussian_blur: true }, /data\.use_gaussian_blur .*true; want false/],
    ["data", { batch_size: "many" }, /data\.batch_size .*"many"; want a whole number/],
    ["mask", { aspect_ratio: [1] }, /mask\.aspect_ratio .*\[1\]; want two numbers/],
    ["optimization", { lr: null }, /optimization\.lr .*null; want a number/],
    ["meta", { use_bfloat16: "yes please" }, /meta\.use_bfloat16 .*want true or false/],
  ];
  test.each(cases)("%s %j is refused, at its line", (section, more, says) => {
    const text = change(section, more);
    const found = read(text);
    if (found.ok) throw new Error("taken");
    expect(found.diagnostics).toHaveLength(1);
    const [{ path, what, found: was, want, place } = { path: "", what: "", found: "", want: "", place: null }] =
      found.diagnostics;
    expect(`${path} ${what}; found ${was}; want ${want}`).toMatch(says);
    expect(place?.lineText).toBe(text.split("\n")[(place?.line ?? 0) - 1]);
  });

  test("GPUs are what the flag says, or what the name of the folder leads to, or one", () => {
    const parts = (text: string, gpus: number | null): unknown => {
      const found = read(text, null, gpus);
      return found.ok && "optimization" in found.spec ? found.spec.optimization : found;
    };
    const plain = change("logging", { folder: "logs/" });
    expect(parts(plain, null)).toMatchObject({ globalBatch: 128, accumulation: 1 });
    expect(parts(plain, 8)).toMatchObject({ globalBatch: 1024, accumulation: 8 });
    expect(parts(change("logging", {}), null)).toMatchObject({ globalBatch: 2048, accumulation: 16 });
  });

  test("an alias does not make a small text large", () => {
    const bomb = `a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n${[..."bcdefghij"].map((name, i) => `${name}: &${name} [${Array(10).fill(`*${"abcdefghij"[i]}`).join(", ")}]`).join("\n")}\n`;
    expect(read(bomb).ok).toBe(false);
    expect(read(`${bomb}${change("data", {}).replace("crop_scale:", "crop_scale: *j\n  rest:")}`).ok).toBe(false);
  });
});
