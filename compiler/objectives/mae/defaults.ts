/** Defaults of a masked autoencoder that other fields decide: the paper's decoder beside ViT-B, a smaller one beside less. */
import type { DecoderSpec, MaeSpec } from "../../spec/spec";

/** 512 features, 8 blocks, 16 heads beside an encoder of 768 features and 12 blocks (paper, Table 1). */
const paper = { dim: 512, depth: 8, headWidth: 32, share: 2 / 3 } as const;

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
