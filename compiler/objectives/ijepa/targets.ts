/** What is predicted, by what it is and what is seen to make it: the chain of targets. */
import { type Graph, GraphBuilder, type Value } from "../../ir/graph";
import type { Chain } from "../../ir/stage";
import {
  blockOf,
  embedAll,
  encoderLayout,
  encoderNormGroup,
  frozenBlocks,
  loop,
  once,
  patchesInto,
  patchGroup,
  targetBlock,
} from "../../model/encoder";
import { LAYER_NORM_EPS, TARGET_NORM_EPS } from "../../model/layers";
import { type FrozenChain, IMAGES } from "../../model/model";
import type { IJepaDims } from "./dims";
import { targetEnds } from "./ends";
import type { IJepaNumbers } from "./numbers";
import type { IJepaTrees } from "./trees";

/** Target tokens, one row per (block, context, image), the order of reference.md §5; of several sets (block, context, set, image). */
export function blockRows(g: GraphBuilder, n: IJepaNumbers, dims: IJepaDims, x: Value, name: string): Value {
  return g.one(
    "splitBlocks",
    [x],
    { blocks: n.targets, copies: n.contexts, rows: dims.predictorRows, tokens: dims.target },
    name,
  );
}

function selectTargets(n: IJepaNumbers, dims: IJepaDims, { batch }: IJepaTrees): Graph {
  const g = new GraphBuilder(
    "targetTokens",
    "The final norm, the layer norm of targets, and the tokens of the target blocks.",
  );
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.images, dims.patches, dims.encoder.width]);
  const targetIndex = g.read("targetIndex", batch.targetIndex);
  const encoded = g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, "encoded");
  const features = n.normalizeTargets ? g.one("normalize", [encoded], { eps: TARGET_NORM_EPS }, "normalized") : encoded;
  const chosen = g.one("gatherTokens", [features, targetIndex], {}, "chosen");
  return g.finish([blockRows(g, n, dims, chosen, "targets")]);
}

/**
 * What the target encoder sees where it is masked at its input (the paper's Table 11): a target is a row of its own, as a
 * mask is for the encoders of the released code. Several contexts have the same targets, once for each.
 */
function embedTargets(n: IJepaNumbers, dims: IJepaDims, { batch, constants }: IJepaTrees): Graph {
  const g = new GraphBuilder(
    "embedTargets",
    "The targets' patches, embedded, at their positions; a row for each target.",
  );
  const weights = g.group(patchGroup(dims));
  const patches = patchesInto(g, dims);
  const positions = g.read("positions", constants.positions);
  const targetIndex = g.read("targetIndex", batch.targetIndex);
  const kept = g.one("gatherTokens", [patches, targetIndex], {}, "kept");
  const embedded = g.one("linear", [kept, weights("weight"), weights("bias")], {}, "embedded");
  const at = g.one("gatherRows", [positions, targetIndex], {}, "positionsOfTargets");
  const placed = g.one("add", [embedded, at], {}, "placed");
  return g.finish([blockRows(g, n, dims, placed, "out")]);
}

/** The same as `selectTargets` where the encoder has seen nothing else. */
function encodedTargets(n: IJepaNumbers, dims: IJepaDims): Graph {
  const g = new GraphBuilder("targetTokens", "The final norm, and the layer norm of targets.");
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.predictorRows, dims.target, dims.encoder.width]);
  const encoded = g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, "encoded");
  return g.finish([n.normalizeTargets ? g.one("normalize", [encoded], { eps: TARGET_NORM_EPS }, "targets") : encoded]);
}

/** Pixels as targets (the paper's ablation): patches of the image, each normalized. */
export function pixelTargets(n: IJepaNumbers, dims: IJepaDims, { batch }: IJepaTrees): Graph {
  const g = new GraphBuilder("pixelTargets", "The pixels of the target blocks' patches.");
  const patches = patchesInto(g, dims);
  const targetIndex = g.read("targetIndex", batch.targetIndex);
  const chosen = g.one("gatherTokens", [patches, targetIndex], {}, "chosen");
  const pixels = n.normalizeTargets ? g.one("normalize", [chosen], { eps: LAYER_NORM_EPS }, "normalized") : chosen;
  return g.finish([blockRows(g, n, dims, pixels, "targets")]);
}

function targetStages(n: IJepaNumbers, dims: IJepaDims, trees: IJepaTrees): Pick<Chain, "title" | "stages"> {
  if (n.targetSpace === "pixels") return { title: "Targets: pixels", stages: [once(pixelTargets(n, dims, trees))] };
  if (n.targetsMaskedAt === "output") {
    return {
      title: "Target encoder: all patches, no gradient",
      stages: [once(embedAll(n, dims)), frozenBlocks(n, dims, "target"), once(selectTargets(n, dims, trees))],
    };
  }
  const encoder = encoderLayout(n, dims);
  const block = blockOf(encoder, { ...targetBlock, rows: [dims.predictorRows, dims.target] });
  return {
    title: "Target encoder: the patches of every target alone, no gradient",
    stages: [
      once(embedTargets(n, dims, trees)),
      loop(block, encoder.name, encoder.depth),
      once(encodedTargets(n, dims)),
    ],
  };
}

/** The target encoder's chain; `result` is what its rows are called in the step. */
export const targetChain = (n: IJepaNumbers, dims: IJepaDims, trees: IJepaTrees, result: string): FrozenChain => ({
  kind: "frozen",
  name: "target",
  part: "target encoder",
  ...targetStages(n, dims, trees),
  input: IMAGES,
  weights: "target",
  running: "h",
  result,
  ends: targetEnds(n, dims),
});
