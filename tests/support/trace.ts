/** Recorded official runs as specs and batches (tests/golden/official/README.md). */
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { officialJson, officialPath } from "./official";

export interface TraceConfig {
  readonly crop: number;
  readonly patch: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlp: number;
  readonly pdim: number;
  readonly pdepth: number;
  readonly B: number;
  readonly mask: {
    readonly enc_mask_scale: readonly [number, number];
    readonly pred_mask_scale: readonly [number, number];
    readonly aspect_ratio: readonly [number, number];
    readonly nenc: number;
    readonly npred: number;
    readonly min_keep: number;
    readonly allow_overlap: boolean;
  };
  readonly ipe: number;
  readonly epochs: number;
  readonly warmup: number;
  readonly ipe_scale: number;
  readonly start_lr: number;
  readonly lr: number;
  readonly final_lr: number;
  readonly wd: number;
  readonly final_wd: number;
  readonly ema: readonly [number, number];
}

export interface TraceJson {
  readonly config: TraceConfig;
  readonly float32_vs_float64: Readonly<Record<string, { readonly tol: number }>>;
}

/** The experiment of a trace, as a person would write it. */
export function specOfTrace(config: TraceConfig): object {
  const { mask } = config;
  return {
    image: { size: config.crop },
    encoder: { dim: config.dim, depth: config.depth, heads: config.heads, mlpRatio: config.mlp, patch: config.patch },
    predictor: { dim: config.pdim, depth: config.pdepth, heads: config.heads },
    masking: {
      minKeep: mask.min_keep,
      allowOverlap: mask.allow_overlap,
      targets: { count: mask.npred, scale: mask.pred_mask_scale, aspect: mask.aspect_ratio },
      context: { count: mask.nenc, scale: mask.enc_mask_scale },
    },
    data: { source: "folder", train: "images", images: config.ipe * config.B },
    evaluation: { knn: { neighbours: 1 } },
    optimization: {
      epochs: config.epochs,
      globalBatch: config.B,
      scheduleScale: config.ipe_scale,
      learningRate: { start: config.start_lr, peak: config.lr, final: config.final_lr, warmupEpochs: config.warmup },
      weightDecay: { start: config.wd, final: config.final_wd },
      momentum: { start: config.ema[0], final: config.ema[1] },
    },
  };
}

export async function readTrace(name: string) {
  const json = officialJson<TraceJson>(`${name}.json`);
  const { tensors } = await readSafetensors(officialPath(`${name}.safetensors`));
  return { json, tensors };
}
