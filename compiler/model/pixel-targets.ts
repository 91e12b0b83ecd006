/** The pixels of masked patches: what masked autoencoders and SimMIM predict. */
import { type Graph, GraphBuilder, type Leaf } from "../ir/graph";
import { expression, sizeOf } from "../ir/number";
import { type EncoderDims, once, patchesInto } from "./encoder";
import { type FrozenChain, IMAGES } from "./model";

export interface PixelTargets {
  /** Each patch by its own mean and deviation. */
  readonly normalized: boolean;
}

/**
 * The pixels of masked patches. Each patch is normalized by its own mean and deviation; the deviation is that of the unbiased
 * variance, as in the released code and its ports: (x − mean) / √(σ²·V/(V−1) + 1e-6), by what `normalize` divides by.
 */
function pixelTargets(dims: EncoderDims, leaf: Leaf, { normalized: isNormalized }: PixelTargets): Graph {
  const g = new GraphBuilder(
    "pixelTargets",
    isNormalized
      ? "The pixels of the masked patches, each patch by its own mean and (unbiased) deviation."
      : "The pixels of the masked patches.",
  );
  const patches = patchesInto(g, dims);
  const masked = g.read("masked", leaf);
  if (!isNormalized) return g.finish([g.one("gatherTokens", [patches, masked], {}, "targets")]);
  const chosen = g.one("gatherTokens", [patches, masked], {}, "chosen");
  const size = sizeOf(dims.values);
  const { name } = dims.values;
  const share = (size - 1) / size;
  const eps = expression(`1e-6 * (${name} - 1) / ${name}`, 1e-6 * share);
  const normalized = g.one("normalize", [chosen], { eps }, "normalized");
  const by = expression(`Math.sqrt((${name} - 1) / ${name})`, Math.sqrt(share));
  return g.finish([g.one("scale", [normalized], { by }, "targets")]);
}

/** A chain without weights. `masked` are the patches, [B, masked]. */
export const pixelTargetsChain = (dims: EncoderDims, masked: Leaf, how: PixelTargets): FrozenChain => ({
  kind: "frozen",
  name: "targets",
  part: "targets",
  title: "Targets: the pixels of masked patches",
  input: IMAGES,
  weights: "weights",
  running: "h",
  result: "targets",
  stages: [once(pixelTargets(dims, masked, how))],
});
