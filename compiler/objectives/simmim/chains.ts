/** SimMIM as chains of small graphs, the way the paper tells it (Xie et al. 2022, arXiv 2111.09886, §3). */
import { type Graph, GraphBuilder } from "../../ir/graph";
import { blockOf, encoderLayout, encoderNormGroup, featuresChain, imagesChain, loop, once } from "../../model/encoder";
import { headGroup, headLayout } from "../../model/head";
import { LAYER_NORM_EPS } from "../../model/layers";
import { embedMasked } from "../../model/masked";
import { IMAGES, type Model } from "../../model/model";
import { pixelTargetsChain } from "../../model/pixel-targets";
import { dimsOf, type SimmimDims } from "./dims";
import type { SimmimNumbers } from "./numbers";
import { treesOf } from "./trees";

function predictions(dims: SimmimDims): Graph {
  const { images, sequence, encoder, encoded, masked, values } = dims;
  const g = new GraphBuilder(
    "predictions",
    "The final norm, then the head: one linear layer, from masked tokens to pixels.",
  );
  const norm = g.group(encoderNormGroup(dims));
  const head = g.group(headGroup(encoder.width, values));
  const x = g.input("x", "f32", [images, sequence, encoder.width]);
  const features = g.one("layerNorm", [x, norm("weight"), norm("bias")], { eps: LAYER_NORM_EPS }, "features");
  const ofMasked = g.one("sliceTokens", [features], { start: encoded, tokens: masked }, "maskedTokens");
  return g.finish([g.one("linear", [ofMasked, head("weight"), head("bias")], {}, "predictions")]);
}

/**
 * Hugging Face divides by the number of masked pixels and 1e-5, which keeps an image without masks from dividing by zero.
 * Here some patches are always masked, and beside 256 pixels 1e-5 is less than what float32 rounds away.
 */
function lossGraph(dims: SimmimDims): Graph {
  const g = new GraphBuilder("lossOf", "The mean absolute error over all pixels of the masked patches.");
  const shape = [dims.images, dims.masked, dims.values];
  const predicted = g.input("predictions", "f32", shape);
  const targets = g.input("targets", "f32", shape, "patches");
  return g.finish([g.one("l1", [predicted, targets], {}, "loss")]);
}

export function buildModel(n: SimmimNumbers): Model {
  const dims = dimsOf(n);
  const trees = treesOf(n, dims);
  const encoder = encoderLayout(n, dims, { maskToken: true });
  const block = blockOf(encoder, {
    name: "maskedBlock",
    doc: "A block of the encoder, over visible patches and mask tokens.",
    rows: [dims.images, dims.sequence],
    dropPath: trees.batch.dropPath?.[0],
  });
  const { visible, masked } = trees.batch;
  return {
    dims,
    trees,
    networks: [encoder, headLayout(dims.encoder, dims.values)],
    operands: n.operands,
    images: imagesChain(n, dims),
    chains: [
      pixelTargetsChain(dims, masked, { normalized: false }),
      {
        kind: "trained",
        name: "encoder",
        part: "encoder",
        title: "Encoder: visible patches and mask tokens; behind it a linear head",
        input: IMAGES,
        ends: { last: "maskedLastBlock", may: true, because: "the loss reads masked patches alone" },
        stages: [
          once(embedMasked(n, dims, { positions: trees.constants.positions, visible, masked })),
          loop(block, encoder.name, encoder.depth),
          once(predictions(dims)),
        ],
      },
    ],
    loss: lossGraph(dims),
    compares: { predictions: "encoder", targets: "targets" },
    features: featuresChain(n, dims, "weights"),
    averages: false,
    source: "Xie et al. 2022, §3",
  };
}
