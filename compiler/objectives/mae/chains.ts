/** A masked autoencoder as chains of small graphs, the way the paper tells it (He et al. 2021, arXiv 2111.06377, §3). */
import { type Graph, GraphBuilder, type Value } from "../../ir/graph";
import {
  afterClassToken,
  blockOf,
  encoderLayout,
  encoderNorm,
  featuresChain,
  imagesChain,
  loop,
  once,
} from "../../model/encoder";
import { LAYER_NORM_EPS, layers, linearGroup, normGroup, tokenGroup } from "../../model/layers";
import { maskTokensAt, visibleTokens } from "../../model/masked";
import { IMAGES, type Model } from "../../model/model";
import { pixelTargetsChain } from "../../model/pixel-targets";
import { dimsOf, type MaeDims } from "./dims";
import { decoderLayout } from "./networks";
import type { MaeNumbers } from "./numbers";
import { type MaeTrees, treesOf } from "./trees";

/** The encoder sees visible patches alone. */
function embedVisible(n: MaeNumbers, dims: MaeDims, { batch, constants }: MaeTrees): Graph {
  const g = new GraphBuilder(
    "embedVisible",
    `${n.classToken ? "The class token, then the" : "The"} visible patches, embedded, at their positions.`,
  );
  const { tokens } = visibleTokens(
    g,
    dims,
    { positions: constants.positions, visible: batch.visible },
    n.classToken ? "placed" : "out",
  );
  return g.finish([afterClassToken(g, n, dims, { patches: tokens, tokens: dims.encoded, name: "out" })]);
}

/** A class token has no position: a row of zeros before those of patches. */
function afterNoPosition(g: GraphBuilder, n: MaeNumbers, dims: MaeDims, positions: Value): Value {
  return n.classToken ? g.one("padTokens", [positions], { start: 1, tokens: dims.encoded }, "encodedAt") : positions;
}

function decoderInput(n: MaeNumbers, dims: MaeDims, { batch, constants }: MaeTrees): Graph {
  const { width } = dims.decoder;
  const g = new GraphBuilder(
    "decoderInput",
    "What was encoded, in the decoder's width, then a mask token for every masked patch, all at their positions. " +
      "Attention knows no order, so nothing is put back into that of the image.",
  );
  const embed = g.group(linearGroup("embed", "decoder.embed", [dims.encoder.width, width], layers.embed));
  const maskToken = g.group(tokenGroup("maskToken", "decoder.maskToken", width, layers.maskToken));
  const encoded = g.input("encoded", "f32", [dims.images, dims.encoded, dims.encoder.width]);
  const positions = g.read("decoderPositions", constants.decoderPositions);
  const visible = g.read("visible", batch.visible);
  const masked = g.read("masked", batch.masked);

  const embedded = g.one("linear", [encoded, embed("weight"), embed("bias")], {}, "embedded");
  const visibleAt = g.one("gatherRows", [positions, visible], {}, "visibleAt");
  const placed = g.one("add", [embedded, afterNoPosition(g, n, dims, visibleAt)], {}, "placed");
  const masks = maskTokensAt(g, maskToken(""), positions, masked);
  return g.finish([g.one("concatTokens", [placed, masks], { tokens: dims.sequence }, "sequence")]);
}

function pixels(dims: MaeDims): Graph {
  const { width } = dims.decoder;
  const g = new GraphBuilder("predictions", "The final norm, then the masked patches only, as pixels.");
  const norm = g.group(normGroup("norm", "decoder.norm", width, layers.predictorNorm));
  const pred = g.group(linearGroup("pred", "decoder.pred", [width, dims.values], layers.proj));
  const x = g.input("x", "f32", [dims.images, dims.sequence, width]);
  const normed = g.one("layerNorm", [x, norm("weight"), norm("bias")], { eps: LAYER_NORM_EPS }, "normed");
  const masked = g.one("sliceTokens", [normed], { start: dims.encoded, tokens: dims.masked }, "maskedTokens");
  return g.finish([g.one("linear", [masked, pred("weight"), pred("bias")], {}, "predictions")]);
}

function lossGraph(n: MaeNumbers, dims: MaeDims): Graph {
  const g = new GraphBuilder("lossOf", "The mean squared error over all pixels of the masked patches.");
  const shape = [dims.images, dims.masked, dims.values];
  const predictions = g.input("predictions", "f32", shape);
  const targets = g.input("targets", "f32", shape, n.normalizeTargets ? "normalize(patches)" : "patches");
  return g.finish([g.one("mse", [predictions, targets], {}, "loss")]);
}

export function buildModel(n: MaeNumbers): Model {
  const dims = dimsOf(n);
  const trees = treesOf(n, dims);
  const encoder = encoderLayout(n, dims);
  const decoder = decoderLayout(n, dims);
  const encoderRows = [dims.images, dims.encoded] as const;
  const encoderBlock = blockOf(encoder, {
    name: "visibleBlock",
    doc: "A block of the encoder.",
    rows: encoderRows,
    dropPath: trees.batch.dropPath?.[0],
  });
  const decoderBlock = blockOf(decoder, {
    name: "decoderBlock",
    doc: "A block of the decoder.",
    rows: [dims.images, dims.sequence],
  });
  return {
    dims,
    trees,
    networks: [encoder, decoder],
    operands: n.operands,
    images: imagesChain(n, dims),
    chains: [
      pixelTargetsChain(dims, trees.batch.masked, { normalized: n.normalizeTargets }),
      {
        kind: "trained",
        name: "encoder",
        part: "encoder",
        title: "Encoder: the visible patches",
        input: IMAGES,
        stages: [
          once(embedVisible(n, dims, trees)),
          loop(encoderBlock, "encoder", encoder.depth),
          once(encoderNorm({ name: "visibleNorm", doc: "The final norm.", rows: encoderRows }, dims)),
        ],
      },
      {
        kind: "trained",
        name: "decoder",
        part: "decoder",
        title: "Decoder: the visible patches and mask tokens",
        input: "encoder",
        ends: {
          last: "decoderLastBlock",
          may: true,
          because: "the loss reads masked patches alone",
        },
        stages: [once(decoderInput(n, dims, trees)), loop(decoderBlock, "decoder", decoder.depth), once(pixels(dims))],
      },
    ],
    loss: lossGraph(n, dims),
    compares: { predictions: "decoder", targets: "targets" },
    features: featuresChain(n, dims, "weights"),
    averages: false,
    source: "He et al. 2021, §3",
  };
}
