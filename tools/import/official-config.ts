/**
 * Configurations of the official code (reference.md §11) as experiments, and back. What a key of theirs means here stands in
 * one table; keys that say nothing of the training (folders, logs) have a fixed value on the way back.
 */
import { type Document, isMap, LineCounter, parseDocument, stringify } from "yaml";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import { encoderSizes, sizeName } from "../../compiler/spec/presets";
import type { IjepaSpec, Spec } from "../../compiler/spec/spec";

/** Images of ImageNet-1k, the data set of the configurations that name none. */
const imagenetImages = 1_281_167;

export type ImportedConfig =
  | { readonly ok: true; readonly spec: object; readonly notes: readonly string[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export interface ConfigOptions {
  readonly file: string;
  readonly text: string;
  /** Training images; null: those of ImageNet-1k. */
  readonly images: number | null;
  /** GPUs that shared the batch; null: what the name of the log folder says (`bs.2048`), or one. */
  readonly gpus: number | null;
}

/** Reads values of one kind each, and collects what is wrong. */
class Reader {
  readonly problems: Diagnostic[] = [];

  constructor(
    private readonly file: string,
    private readonly text: string,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  private value(key: string): unknown {
    return this.document.getIn(key.split("."));
  }

  private take<T>(key: string, want: string, is: (value: unknown) => value is T, otherwise: T): T {
    const node: unknown = this.value(key);
    const value = isSequence(node) ? node.toJSON() : node;
    if (is(value)) return value;
    this.refuse(key, want, value);
    return otherwise;
  }

  refuse(key: string, want: string, value: unknown = this.value(key)): void {
    const found = value === undefined ? "nothing" : (JSON.stringify(value) ?? "nothing").slice(0, 60);
    const problem = errors.configurationValue({ key, found, want });
    this.problems.push({ ...unplaced(this.file, problem), place: this.placeOf(key), path: key });
  }

  private placeOf(key: string): Diagnostic["place"] {
    const node: unknown = this.document.getIn(key.split("."), true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : null;
    if (!Array.isArray(range)) return null;
    const [start, end]: readonly unknown[] = range;
    if (typeof start !== "number" || typeof end !== "number") return null;
    const { line, col } = this.lines.linePos(start);
    const lineText = this.text.split("\n")[line - 1] ?? "";
    return { line, column: col, length: Math.max(1, Math.min(end - start, lineText.length - col + 1)), lineText };
  }

  number(key: string): number {
    return this.take(key, "a number", (value): value is number => typeof value === "number", 1);
  }

  count(key: string, least = 1): number {
    const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= least;
    return this.take(key, `a whole number of ${least} or more`, isCount, least);
  }

  flag(key: string): boolean {
    return this.take(key, "true or false", (value): value is boolean => typeof value === "boolean", false);
  }

  text_(key: string, otherwise: string): string {
    const value = this.value(key);
    return typeof value === "string" ? value : otherwise;
  }

  pair(key: string): readonly [number, number] {
    const isPair = (value: unknown): value is [number, number] =>
      Array.isArray(value) && value.length === 2 && value.every((entry) => typeof entry === "number");
    return this.take(key, "two numbers", isPair, [0, 1]);
  }

  optionalCount(key: string): number {
    return this.value(key) === undefined ? 0 : this.count(key, 0);
  }
}

function isSequence(value: unknown): value is { toJSON(): unknown } {
  return typeof value === "object" && value !== null && "toJSON" in value && typeof value.toJSON === "function";
}

export function specFromConfig({ file, text, images, gpus }: ConfigOptions): ImportedConfig {
  const lines = new LineCounter();
  // Aliases could make a small text large; no configuration has any.
  const document = parseDocument(text, { lineCounter: lines, schema: "core", merge: false });
  const notOne = (why: string): ImportedConfig => ({
    ok: false,
    diagnostics: [unplaced(file, errors.notAConfiguration({ why }))],
  });
  const [syntax] = document.errors;
  if (syntax !== undefined) return notOne(syntax.message.split("\n")[0] ?? "it is no YAML");
  if (!isMap(document.contents)) return notOne("it is no mapping of sections");
  const missing = ["data", "mask", "meta", "optimization"].filter((section) => !isMap(document.get(section)));
  if (missing.length > 0) return notOne(`it has no section ${missing.join(", ")}`);
  const r = new Reader(file, text, document, lines);
  const spec = specOf(r, images ?? imagenetImages, gpus);
  if (r.problems.length > 0) return { ok: false, diagnostics: r.problems };
  const { parts, ...rest } = spec;
  return {
    ok: true,
    spec: rest,
    notes: [
      `batch ${rest.optimization.globalBatch}: ${parts} parts of ${r.count("data.batch_size")}, one after the other ` +
        `(${gpus === null ? "by the name of the log folder" : "--gpus"})`,
      ...(images === null ? [`data.images is ${imagenetImages}, ImageNet-1k's: the configuration does not say`] : []),
    ],
  };
}

function specOf(r: Reader, images: number, gpus: number | null) {
  const size = sizeOfModel(r);
  for (const key of ["data.use_color_distortion", "data.use_gaussian_blur"]) {
    if (r.flag(key)) r.refuse(key, "false: this augmentation is not done here");
  }
  const batch = r.count("data.batch_size");
  const parts = gpus ?? partsOf(r.text_("logging.folder", ""), batch);
  const workers = r.optionalCount("data.num_workers");
  const bf16 = r.flag("meta.use_bfloat16");
  const momentum = r.pair("optimization.ema");
  return {
    parts,
    image: { size: r.count("data.crop_size") },
    encoder: { size, patch: r.count("mask.patch_size") },
    predictor: { dim: r.count("meta.pred_emb_dim"), depth: r.count("meta.pred_depth") },
    masking: {
      sampler: "reference",
      allowOverlap: r.flag("mask.allow_overlap"),
      minKeep: r.count("mask.min_keep", 0),
      targets: {
        count: r.count("mask.num_pred_masks"),
        scale: r.pair("mask.pred_mask_scale"),
        aspect: r.pair("mask.aspect_ratio"),
      },
      context: { count: r.count("mask.num_enc_masks"), scale: r.pair("mask.enc_mask_scale"), tokens: "auto" },
    },
    data: { source: "folder", train: trainFolder(r), images },
    augmentation: { cropScale: r.pair("data.crop_scale"), horizontalFlip: r.flag("data.use_horizontal_flip") },
    optimization: {
      epochs: r.count("optimization.epochs"),
      globalBatch: batch * parts,
      accumulation: parts,
      learningRate: {
        start: r.number("optimization.start_lr"),
        peak: r.number("optimization.lr"),
        final: r.number("optimization.final_lr"),
        warmupEpochs: r.number("optimization.warmup"),
      },
      weightDecay: {
        start: r.number("optimization.weight_decay"),
        final: r.number("optimization.final_weight_decay"),
      },
      momentum: { start: momentum[0], final: momentum[1] },
      scheduleScale: r.number("optimization.ipe_scale"),
    },
    // bfloat16 is there on XLA alone; what float32 runs on is left to the default.
    hardware: { workers, ...(bf16 ? { engine: "xla", device: "gpu", precision: "bf16" } : {}) },
  };
}

function sizeOfModel(r: Reader): string {
  const name = r.text_("meta.model_name", "").replace(/^vit_/, "");
  if (Object.hasOwn(encoderSizes, name)) return name;
  const known = Object.keys(encoderSizes).map((size) => `vit_${size}`);
  r.refuse("meta.model_name", known.join(", "));
  return "huge";
}

/** As the official loader joins them. */
function trainFolder(r: Reader): string {
  const parts = [r.text_("data.root_path", "."), r.text_("data.image_folder", ""), "train"];
  return parts
    .filter((part) => part !== "")
    .join("/")
    .replaceAll(/\/+/g, "/");
}

function partsOf(folder: string, batch: number): number {
  const total = Number(/bs\.(\d+)/.exec(folder)?.[1] ?? 0);
  return total > 0 && total % batch === 0 ? total / batch : 1;
}

/** What an official configuration cannot say, by field, with the only value that it stands for. */
const unsaid: readonly { readonly field: string; readonly of: (spec: IjepaSpec) => unknown; readonly want: unknown }[] =
  [
    { field: "image.mean", of: ({ image }) => image.mean, want: [0.485, 0.456, 0.406] },
    { field: "image.std", of: ({ image }) => image.std, want: [0.229, 0.224, 0.225] },
    { field: "encoder.dropPath", of: ({ encoder }) => encoder.dropPath, want: 0 },
    { field: "predictor.mlpRatio", of: ({ predictor }) => predictor.mlpRatio, want: 4 },
    { field: "masking.strategy", of: ({ masking }) => masking.strategy, want: "multiblock" },
    {
      field: "masking.sampler",
      of: ({ masking }) => (masking.strategy === "multiblock" ? masking.sampler : "reference"),
      want: "reference",
    },
    { field: "targets.space", of: ({ targets }) => targets.space, want: "representations" },
    { field: "targets.maskedAt", of: ({ targets }) => targets.maskedAt, want: "output" },
    { field: "targets.normalize", of: ({ targets }) => targets.normalize, want: true },
    { field: "loss", of: ({ loss }) => loss, want: "smoothL1" },
    { field: "data.source", of: ({ data }) => data.source, want: "folder" },
    { field: "augmentation.cropAspect", of: ({ augmentation }) => augmentation.cropAspect, want: [3 / 4, 4 / 3] },
    {
      field: "optimization.adamw",
      of: ({ optimization }) => optimization.adamw,
      want: { beta1: 0.9, beta2: 0.999, eps: 1e-8 },
    },
    { field: "optimization.clipNorm", of: ({ optimization }) => optimization.clipNorm, want: null },
    { field: "init.positionScale", of: ({ init }) => init.positionScale, want: 1 },
    { field: "init.depthRescale", of: ({ init }) => init.depthRescale, want: false },
  ];

const isClose = (a: unknown, b: unknown): boolean => {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) < 1e-3;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((entry, i) => isClose(entry, b[i]));
  return JSON.stringify(a) === JSON.stringify(b);
};

/** The configuration of a spec, as YAML; or what of the spec the official code cannot do. */
export function configFromSpec(spec: Spec, file: string): Configured {
  // The official code trains nothing else.
  if (spec.objective === "ijepa") return configOf(spec, file);
  return { ok: false, diagnostics: [inexpressible(file, "objective", spec.objective, JSON.stringify("ijepa"))] };
}

type Configured =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

function configOf(spec: IjepaSpec, file: string): Configured {
  const size = sizeName(spec.encoder);
  const diagnostics = unsaid
    .filter(({ of, want }) => !isClose(of(spec), want))
    .map(({ field, of, want }) => inexpressible(file, field, of(spec), JSON.stringify(want)));
  if (size === null) {
    diagnostics.push(
      inexpressible(file, "encoder", spec.encoder, `one of the sizes ${Object.keys(encoderSizes).join(", ")}`),
    );
  }
  if (spec.predictor.heads !== spec.encoder.heads) {
    diagnostics.push(inexpressible(file, "predictor.heads", spec.predictor.heads, "those of the encoder"));
  }
  const { masking } = spec;
  if (diagnostics.length > 0 || size === null || spec.data.source !== "folder" || masking.strategy !== "multiblock") {
    return { ok: false, diagnostics };
  }
  const { optimization, augmentation, hardware, data } = spec;
  const parts = optimization.accumulation * hardware.gpus;
  const train = data.train.replace(/\/?train\/?$/, "");
  // The released configurations have ImageNet as a folder in a folder.
  const [, root = ".", folder = train] = /^(.*?)\/(imagenet_full_size\/[^/]+|[^/]+)$/.exec(train) ?? [];
  const config = {
    data: {
      batch_size: optimization.globalBatch / parts,
      color_jitter_strength: 0,
      crop_scale: augmentation.cropScale,
      crop_size: spec.image.size,
      image_folder: `${folder}/`,
      num_workers: hardware.workers,
      pin_mem: true,
      root_path: root === "" ? "/" : root,
      use_color_distortion: false,
      use_gaussian_blur: false,
      use_horizontal_flip: augmentation.horizontalFlip,
    },
    logging: {
      folder: `logs/${spec.name}-bs.${optimization.globalBatch}-ep.${optimization.epochs}/`,
      write_tag: "jepa",
    },
    mask: {
      allow_overlap: masking.allowOverlap,
      aspect_ratio: masking.targets.aspect,
      enc_mask_scale: masking.context.scale,
      min_keep: masking.minKeep,
      num_enc_masks: masking.context.count,
      num_pred_masks: masking.targets.count,
      patch_size: spec.encoder.patch,
      pred_mask_scale: masking.targets.scale,
    },
    meta: {
      copy_data: false,
      load_checkpoint: false,
      model_name: `vit_${size}`,
      pred_depth: spec.predictor.depth,
      pred_emb_dim: spec.predictor.dim,
      read_checkpoint: null,
      use_bfloat16: hardware.precision === "bf16",
    },
    optimization: {
      ema: [optimization.momentum.start, optimization.momentum.final],
      epochs: optimization.epochs,
      final_lr: optimization.learningRate.final,
      final_weight_decay: optimization.weightDecay.final,
      ipe_scale: optimization.scheduleScale,
      lr: optimization.learningRate.peak,
      start_lr: optimization.learningRate.start,
      warmup: optimization.learningRate.warmupEpochs,
      weight_decay: optimization.weightDecay.start,
    },
  };
  return { ok: true, text: stringify(config) };
}

function inexpressible(file: string, field: string, found: unknown, want: string): Diagnostic {
  const problem = errors.configurationValue({ key: field, found: JSON.stringify(found).slice(0, 80), want });
  return { ...unplaced(file, problem), path: field };
}
