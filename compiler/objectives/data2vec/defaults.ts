/**
 * Defaults of data2vec that other fields decide. Those that nothing decides are in the schema, by the command for ViT-B in
 * beit/README.md of facebookresearch/data2vec_vision: β = 2, a momentum of 0.9998 from the first step on, gradients clipped at 3, a
 * learning rate of 0.002 for 2048 images, weight decay 0.05, blocks of 16 patches at least. What is not here: layer scale, positions
 * in attention, dropout of attention, colour jitter.
 */
import type { ReleasedSchedule } from "../../spec/fitting";
import type { Data2VecSpec, Data2VecTargetsSpec } from "../../spec/spec";

/** The paper takes 6 of the 12 blocks of ViT-B, and of the 24 of ViT-L (§4.1). */
const MOST_BLOCKS = 6;

/** beit/run_cyclical.py, whose warm-up begins at zero (BEiT's cosine_scheduler), with the command's 10 epochs of it. */
export const schedule: ReleasedSchedule = { start: 0, final: 0.00001, warmupEpochs: 10 };

export function defaults(spec: Data2VecSpec): Data2VecSpec {
  const given: Partial<Data2VecTargetsSpec> = spec.targets;
  const blocks = Math.min(MOST_BLOCKS, Math.ceil(spec.encoder.depth / 2));
  return { ...spec, targets: { blocks, ...given } };
}
