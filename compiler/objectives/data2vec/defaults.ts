/** Defaults of data2vec that other fields decide. */
import type { Data2VecSpec, Data2VecTargetsSpec } from "../../spec/spec";

/** The paper takes 6 of the 12 blocks of ViT-B, and of the 24 of ViT-L (§4.1). */
const MOST_BLOCKS = 6;

export function defaults(spec: Data2VecSpec): Data2VecSpec {
  const given: Partial<Data2VecTargetsSpec> = spec.targets;
  const blocks = Math.min(MOST_BLOCKS, Math.ceil(spec.encoder.depth / 2));
  return { ...spec, targets: { blocks, ...given } };
}
