/** masks.json of the official numbers, typed as far as tests read it. */
import type { MultiblockSettings } from "../../compiler/masks/settings";
import type { Range } from "../../runtime/masks/blocks";
import type { CollatorSettings } from "../../runtime/masks/reference";
import { officialJson } from "./official";

export interface OfficialMasks {
  readonly settings: Readonly<Record<string, OfficialSetting>>;
  readonly random_collator: {
    readonly params: { readonly ratio: Range; readonly input_size: number; readonly patch_size: number };
    readonly n_keep_by_counter: readonly number[];
    readonly examples: OfficialExamples;
  };
}

export interface OfficialExamples {
  readonly main_rng_seed: number;
  readonly batch_size: number;
  readonly batches: readonly {
    readonly counter: number;
    /** [mask][image] → patches. */
    readonly enc: readonly (readonly (readonly number[])[])[];
    readonly pred: readonly (readonly (readonly number[])[])[];
  }[];
}

export interface OfficialSetting {
  readonly params: {
    readonly input_size: number | readonly [number, number];
    readonly patch_size: number;
    readonly enc_mask_scale: Range;
    readonly pred_mask_scale: Range;
    readonly aspect_ratio: Range;
    readonly nenc: number;
    readonly npred: number;
    readonly min_keep: number;
    readonly allow_overlap: boolean;
  };
  readonly stats: {
    readonly n_batches: number;
    readonly block_sizes_by_counter: readonly (readonly [number, number, number, number])[];
    readonly context_len_untruncated: { readonly mean: number };
    readonly context_len_by_batch_size: Readonly<Record<string, { readonly mean: number; readonly std: number }>>;
    readonly target_patch_prob: readonly (readonly number[])[];
    readonly target_topleft_counts: readonly (readonly number[])[];
    readonly context_patch_prob_untruncated: readonly (readonly number[])[];
    readonly context_patch_prob_truncated_full_batch: readonly (readonly number[])[];
    readonly batch_size: number;
  };
  readonly examples: OfficialExamples;
}

export const officialMasks = officialJson<OfficialMasks>("masks.json");
export const officialSettings = Object.entries(officialMasks.settings);

export function collatorSettings({ params }: OfficialSetting): CollatorSettings {
  const [height, width] =
    typeof params.input_size === "number" ? [params.input_size, params.input_size] : params.input_size;
  return {
    grid: { height: Math.floor(height / params.patch_size), width: Math.floor(width / params.patch_size) },
    contextScale: params.enc_mask_scale,
    contextCount: params.nenc,
    targetScale: params.pred_mask_scale,
    targetAspect: params.aspect_ratio,
    targetCount: params.npred,
    minKeep: params.min_keep,
    allowOverlap: params.allow_overlap,
  };
}

export function maskSettings(setting: OfficialSetting, drawnTogether: number): MultiblockSettings {
  const { grid, targetCount, targetScale, targetAspect, contextCount, contextScale, minKeep, allowOverlap } =
    collatorSettings(setting);
  return {
    strategy: "multiblock",
    grid,
    sampler: "reference",
    targets: { count: targetCount, scale: targetScale, aspect: targetAspect },
    context: { count: contextCount, scale: contextScale, tokens: "auto" },
    minKeep,
    allowOverlap,
    drawnTogether,
  };
}

/** The released 224/14 setting with the batch of one of its sixteen devices. */
export const paperMasks: MultiblockSettings = {
  strategy: "multiblock",
  grid: { height: 16, width: 16 },
  sampler: "reference",
  targets: { count: 4, scale: [0.15, 0.2], aspect: [0.75, 1.5] },
  context: { count: 1, scale: [0.85, 1], tokens: "auto" },
  minKeep: 10,
  allowOverlap: false,
  drawnTogether: 128,
};
