/**
 * Defaults of a masked autoencoder that other fields decide: the paper's decoder beside ViT-B, a smaller one beside less. Those that
 * nothing decides are in the schema: masks of 75 % (He et al. 2022, Table 1f), normalized pixels (Table 1d), AdamW with β2 = 0.95, weight
 * decay 0.05 and 0.00015 · batch / 256 (Table 8, and PRETRAIN.md of facebookresearch/mae, whose batch is 4096), crops of 0.2 to 1
 * with flips (main_pretrain.py there).
 */
import type { ReleasedSchedule } from "../../spec/fitting";
import type { DecoderSpec, MaeSpec } from "../../spec/spec";

/** 512 features, 8 blocks, 16 heads beside an encoder of 768 features and 12 blocks (paper, Table 1). */
const paper = { dim: 512, depth: 8, headWidth: 32, share: 2 / 3 } as const;

/** util/lr_sched.py and main_pretrain.py of facebookresearch/mae: from zero and to zero. */
export const schedule: ReleasedSchedule = { start: 0, final: 0, warmupEpochs: 40 };

export function defaults(spec: MaeSpec): MaeSpec {
  const given: Partial<DecoderSpec> & Pick<DecoderSpec, "mlpRatio"> = spec.decoder;
  const { encoder } = spec;
  const width = paper.headWidth * Math.max(1, Math.round((paper.share * encoder.dim) / paper.headWidth));
  const dim = given.dim ?? Math.min(paper.dim, width);
  const depth = given.depth ?? Math.min(paper.depth, Math.max(1, Math.round(paper.share * encoder.depth)));
  return { ...spec, decoder: { ...given, dim, depth, heads: given.heads ?? fittingHeads(dim) } };
}

/** A head for every 32 features, or the nearest smaller number that divides the width. */
function fittingHeads(dim: number): number {
  let heads = Math.max(1, Math.floor(dim / paper.headWidth));
  while (dim % heads !== 0) heads--;
  return heads;
}
