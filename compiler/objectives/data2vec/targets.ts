/**
 * What is predicted: the mean of what the last K blocks of the target encoder (the teacher) make of a masked patch, with the
 * whole image before them. Each block's output is normalized first, token by token and without gain or bias, as the paper has
 * it for vision (Baevski et al. 2022, arXiv 2202.03555, §3.3). The code that was released for vision can do that too
 * (`target_layer_norm_last`), but its commands normalize the mean instead (`post_target_layer_norm`).
 */
import { type Graph, GraphBuilder, type Value } from "../../ir/graph";
import { expression } from "../../ir/number";
import type { Chain, Stage } from "../../ir/stage";
import { blockGroup, blockOf, embedAll, encoderLayout, once, patchesOf, targetBlock } from "../../model/encoder";
import { block, TARGET_NORM_EPS } from "../../model/layers";
import type { ChainEnds } from "../../model/model";
import type { Data2VecDims } from "./dims";
import type { Data2VecNumbers } from "./numbers";
import type { Data2VecTrees } from "./trees";

/** What runs beside the tokens: the sum over blocks so far. */
const SUM = "sum";

/** The masked patches of what a block has made, normalized: [rows, masked, width]. */
function normalizedTargets(
  g: GraphBuilder,
  n: Data2VecNumbers,
  dims: Data2VecDims,
  { batch }: Data2VecTrees,
  tokens: Value,
): Value {
  const masked = g.read("masked", batch.masked);
  const chosen = g.one("gatherTokens", [patchesOf(g, n, dims, tokens), masked], {}, "chosen");
  return g.one("normalize", [chosen], { eps: TARGET_NORM_EPS }, "normalized");
}

const tokensOf = (g: GraphBuilder, { images, allTokens, encoder }: Data2VecDims): Value =>
  g.input("x", "f32", [images, allTokens, encoder.width]);

const sumOf = (g: GraphBuilder, { rows, masked, encoder }: Data2VecDims): Value =>
  g.input(SUM, "f32", [rows, masked, encoder.width], "normalize(x)");

function firstTargets(n: Data2VecNumbers, dims: Data2VecDims, trees: Data2VecTrees): Graph {
  const g = new GraphBuilder("firstTargets", "What a block has made of the masked patches, normalized.");
  return g.finish([normalizedTargets(g, n, dims, trees, tokensOf(g, dims))]);
}

function summedBlock(n: Data2VecNumbers, dims: Data2VecDims, trees: Data2VecTrees): Graph {
  const g = new GraphBuilder(
    "summedTargetBlock",
    "A block of the target encoder; what it makes of the masked patches, normalized, is added to that of the blocks before.",
  );
  const weights = g.group(blockGroup(encoderLayout(n, dims)));
  const x = tokensOf(g, dims);
  const sum = sumOf(g, dims);
  const out = block(g, weights, dims.encoder, x);
  return g.finish([out, g.one("add", [sum, normalizedTargets(g, n, dims, trees, out)], {}, "total")]);
}

function meanTargets({ targetBlocks: k }: Data2VecNumbers, dims: Data2VecDims): Graph {
  const g = new GraphBuilder("meanTargets", `The mean over ${k} blocks.`);
  return g.finish([g.one("scale", [sumOf(g, dims)], { by: expression(`1 / ${k}`, 1 / k) }, "targets")]);
}

export function targetStages(
  n: Data2VecNumbers,
  dims: Data2VecDims,
  trees: Data2VecTrees,
): Pick<Chain, "title" | "stages"> & { readonly ends: ChainEnds } {
  const { targetBlocks: k } = n;
  const layout = encoderLayout(n, dims);
  const { name: network, depth } = layout;
  const whole = blockOf(layout, { ...targetBlock, rows: [dims.images, dims.allTokens] });
  const first = depth - k + 1;
  const loop = (graph: Graph, from: number, to: number): Stage => ({
    graph,
    repeated: true,
    blocks: { network, from, to },
  });
  const before = [once(embedAll(n, dims)), loop(whole, 0, first)];
  const begun = { ...once(firstTargets(n, dims, trees)), beside: SUM };
  const summed = { ...loop(summedBlock(n, dims, trees), first, depth), beside: SUM };
  return {
    title: `Target encoder: the whole image, no gradient; the mean of ${k === 1 ? "its last block" : `its last ${k} blocks`}`,
    stages:
      k === 1
        ? [...before, once(firstTargets(n, dims, trees))]
        : [...before, begun, summed, once(meanTargets(n, dims))],
    ends: {
      last: "targetLastBlock",
      // Attention to all patches of an image cannot be that of several rows.
      may: n.sets === 1,
      because:
        n.sets === 1 ? "of its last block only masked patches are read" : "several sets of masks read its last block",
    },
  };
}
