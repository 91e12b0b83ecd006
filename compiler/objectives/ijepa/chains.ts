/** I-JEPA as chains of small graphs, the way the paper tells it; no saving is taken here (that is optimize/). */
import type { OperandFormat } from "../../../runtime/ops/ops";
import { type Graph, GraphBuilder, type Group, type Leaf, type Value } from "../../ir/graph";
import type { Chain, Stage } from "../../ir/stage";
import type { ModelNumbers } from "../../plan/model-numbers";
import { type Dims, dimsOf } from "./dims";
import {
  block,
  blockWeights,
  type DropPath,
  groupOf,
  LAYER_NORM_EPS,
  layers,
  linearGroup,
  normGroup,
  TARGET_NORM_EPS,
} from "../../model/layers";
import { type ModelTrees, treesOf } from "./trees";

export interface Model {
  readonly dims: Dims;
  readonly trees: ModelTrees;
  /** Number format of the operands of products; the graphs are float32 until a pass casts them. */
  readonly operands: OperandFormat;
  /** Images → their patches, which all other chains begin with. */
  readonly images: Chain;
  /** Patches → targets, without gradient. */
  readonly target: Chain;
  /** Patches → context representations. */
  readonly context: Chain;
  /** Context representations → predictions. */
  readonly predictor: Chain;
  /** Predictions, targets → loss. */
  readonly loss: Graph;
  /** Patches → mean of the target encoder's tokens, for probes. */
  readonly features: Chain;
}

function encoderBlockGroup(dims: Dims): Group {
  return groupOf("block", { name: "EncoderBlock", axes: [] }, "encoder.blocks.*", blockWeights(dims.encoder));
}

function predictorBlockGroup(dims: Dims): Group {
  return groupOf("block", { name: "PredictorBlock", axes: [] }, "predictor.blocks.*", blockWeights(dims.predictor));
}

function patchGroup(dims: Dims): Group {
  return linearGroup("patchEmbed", "encoder.patchEmbed", [dims.values, dims.encoder.width], layers.patchEmbed);
}

function encoderNormGroup(dims: Dims): Group {
  return normGroup("norm", "encoder.norm", dims.encoder.width, layers.encoderNorm);
}

/** What every encoder sees of the images: their pixels, normalized where the step is given bytes, patch by patch. */
function imagePatches(n: ModelNumbers, dims: Dims, { batch, constants: { pixelMean, pixelStd } }: ModelTrees): Graph {
  const areBytes = pixelMean !== undefined && pixelStd !== undefined;
  const g = new GraphBuilder(
    "imagePatches",
    areBytes
      ? "Bytes to normalized pixels, cut into patches."
      : "Pixels that are normalized already, cut into patches.",
  );
  const images = g.read("images", batch.images);
  const pixels = areBytes
    ? g.one("normalizePixels", [images, g.read("mean", pixelMean), g.read("std", pixelStd)], {}, "pixels")
    : images;
  const cut = { patch: n.patch, tokens: dims.patches, values: dims.values };
  return g.finish([g.one("patchify", [pixels], cut, "patches")]);
}

const patchesInto = (g: GraphBuilder, dims: Dims): Value =>
  g.input("patches", "f32", [dims.images, dims.patches, dims.values]);

/** All patches of the images: the first layer of the target encoder (reference.md §3). */
function embedAll(dims: Dims, { constants }: ModelTrees): Graph {
  const g = new GraphBuilder("embedPatches", "Every patch of the images, embedded, at its position.");
  const weights = g.group(patchGroup(dims));
  const patches = patchesInto(g, dims);
  const positions = g.read("positions", constants.positions);
  const embedded = g.one("linear", [patches, weights("weight"), weights("bias")], {}, "embedded");
  return g.finish([g.one("addTable", [embedded, positions], {}, "out")]);
}

/**
 * The context's patches only. Gathering pixels before the embedding equals gathering tokens after it: the embedding
 * looks at one patch at a time.
 */
function embedContext(dims: Dims, { batch, constants }: ModelTrees): Graph {
  const g = new GraphBuilder("embedContext", "The context's patches, embedded, at their positions.");
  const weights = g.group(patchGroup(dims));
  const patches = patchesInto(g, dims);
  const positions = g.read("positions", constants.positions);
  const contextIndex = g.read("contextIndex", batch.contextIndex);
  const kept = g.one("gatherTokens", [patches, contextIndex], {}, "kept");
  const embedded = g.one("linear", [kept, weights("weight"), weights("bias")], {}, "embedded");
  const at = g.one("gatherRows", [positions, contextIndex], {}, "positionsOfContext");
  return g.finish([g.one("add", [embedded, at], {}, "out")]);
}

function encoderBlock(
  name: string,
  doc: string,
  dims: Dims,
  rows: "all" | "context",
  dropPath: { readonly attn: Leaf; readonly mlp: Leaf } | undefined,
): Graph {
  const g = new GraphBuilder(name, doc);
  const weights = g.group(encoderBlockGroup(dims));
  const x =
    rows === "all"
      ? g.input("x", "f32", [dims.images, dims.patches, dims.encoder.width])
      : g.input("x", "f32", [dims.contextRows, dims.context, dims.encoder.width]);
  const drop: DropPath | undefined = dropPath && {
    attn: g.read("dropPathAttn", dropPath.attn),
    mlp: g.read("dropPathMlp", dropPath.mlp),
  };
  return g.finish([block(g, weights, dims.encoder, x, drop)]);
}

function encoderNorm(name: string, doc: string, dims: Dims): Graph {
  const g = new GraphBuilder(name, doc);
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.contextRows, dims.context, dims.encoder.width]);
  return g.finish([g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, "out")]);
}

/** Target tokens, one row per (block, context, image), the order of reference.md §5. */
function blockRows(g: GraphBuilder, n: ModelNumbers, dims: Dims, x: Value, name: string): Value {
  return g.one(
    "splitBlocks",
    [x],
    { blocks: n.targets, copies: n.contexts, rows: dims.predictorRows, tokens: dims.target },
    name,
  );
}

function selectTargets(n: ModelNumbers, dims: Dims, { batch }: ModelTrees): Graph {
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

/** Pixels as targets (the paper's ablation): patches of the image, each normalized. */
function pixelTargets(n: ModelNumbers, dims: Dims, { batch }: ModelTrees): Graph {
  const g = new GraphBuilder("pixelTargets", "The pixels of the target blocks' patches.");
  const patches = patchesInto(g, dims);
  const targetIndex = g.read("targetIndex", batch.targetIndex);
  const chosen = g.one("gatherTokens", [patches, targetIndex], {}, "chosen");
  const pixels = n.normalizeTargets ? g.one("normalize", [chosen], { eps: LAYER_NORM_EPS }, "normalized") : chosen;
  return g.finish([blockRows(g, n, dims, pixels, "targets")]);
}

/** What the predictor reads: the context's representations, then a mask token at every target position. */
function predictorInput(n: ModelNumbers, dims: Dims, { batch, constants }: ModelTrees): Graph {
  const { width } = dims.predictor;
  const g = new GraphBuilder(
    "predictorInput",
    "The context in the predictor's width, then a mask token at every target position.",
  );
  const embed = g.group(linearGroup("embed", "predictor.embed", [dims.encoder.width, width], layers.embed));
  const role = layers.maskToken;
  const maskToken = g.group(
    groupOf("maskToken", { name: "F32", axes: [width], role }, "predictor.maskToken", { "": { shape: [width], role } }),
  );
  const context = g.input("context", "f32", [dims.contextRows, dims.context, dims.encoder.width], "encoded");
  const predictorPositions = g.read("predictorPositions", constants.predictorPositions);
  const contextIndex = g.read("contextIndex", batch.contextIndex);
  const targetIndex = g.read("targetIndex", batch.targetIndex);

  const embedded = g.one("linear", [context, embed("weight"), embed("bias")], {}, "embedded");
  const contextAt = g.one("gatherRows", [predictorPositions, contextIndex], {}, "contextPositions");
  const placed = g.one("add", [embedded, contextAt], {}, "placed");
  const tiled = g.one("tileBatch", [placed], { copies: n.targets, rows: dims.predictorRows }, "contextTokens");
  const targetAt = g.one("gatherRows", [predictorPositions, targetIndex], {}, "targetPositions");
  const rows = blockRows(g, n, dims, targetAt, "blockPositions");
  const masks = g.one("addVector", [rows, maskToken("")], {}, "maskTokens");
  return g.finish([g.one("concatTokens", [tiled, masks], { tokens: dims.sequence }, "sequence")]);
}

function predictorBlock(dims: Dims): Graph {
  const g = new GraphBuilder(
    "predictorBlock",
    "A block of the predictor; every target block is a sequence of its own.",
  );
  const weights = g.group(predictorBlockGroup(dims));
  const x = g.input("x", "f32", [dims.predictorRows, dims.sequence, dims.predictor.width]);
  return g.finish([block(g, weights, dims.predictor, x)]);
}

function predictorOutput(n: ModelNumbers, dims: Dims): Graph {
  const out = n.targetSpace === "pixels" ? dims.values : dims.encoder.width;
  const { width } = dims.predictor;
  const g = new GraphBuilder("predictions", "The final norm, then the mask tokens only, in the width of the targets.");
  const norm = g.group(normGroup("norm", "predictor.norm", width, layers.predictorNorm));
  const proj = g.group(linearGroup("proj", "predictor.proj", [width, out], layers.proj));
  const x = g.input("x", "f32", [dims.predictorRows, dims.sequence, width]);
  const normed = g.one("layerNorm", [x, norm("weight"), norm("bias")], { eps: LAYER_NORM_EPS }, "normed");
  const masked = g.one("sliceTokens", [normed], { start: dims.context, tokens: dims.target }, "masked");
  return g.finish([g.one("linear", [masked, proj("weight"), proj("bias")], {}, "predictions")]);
}

function lossGraph(n: ModelNumbers, dims: Dims): Graph {
  const width = n.targetSpace === "pixels" ? dims.values : dims.encoder.width;
  const g = new GraphBuilder("lossOf", "The mean over all elements of all target blocks.");
  const predictions = g.input("predictions", "f32", [dims.predictorRows, dims.target, width]);
  const features = n.targetSpace === "pixels" ? "patches" : "encoded";
  const role = n.normalizeTargets ? `normalize(${features})` : features;
  const targets = g.input("targets", "f32", [dims.predictorRows, dims.target, width], role);
  return g.finish([g.one(n.loss, [predictions, targets], {}, "loss")]);
}

function encodedTokens(dims: Dims): Graph {
  const g = new GraphBuilder("encodedTokens", "The final norm of every patch.");
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.images, dims.patches, dims.encoder.width]);
  return g.finish([g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, "encoded")]);
}

function pooledFeatures(dims: Dims): Graph {
  const g = new GraphBuilder("pooledFeatures", "The final norm, then the mean over all patches.");
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.images, dims.patches, dims.encoder.width]);
  const encoded = g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, "encoded");
  return g.finish([g.one("meanTokens", [encoded], {}, "features")]);
}

const once = (graph: Graph): Stage => ({ graph, repeated: false });

/** All blocks of a network as one loop. */
function loop(graph: Graph, network: "encoder" | "predictor", depth: number): Stage {
  return { graph, repeated: true, blocks: { network, from: 0, to: depth } };
}

function allPatchesBlock(dims: Dims): Graph {
  const doc = "A block of the target encoder; nothing is kept for a backward pass.";
  return encoderBlock("targetBlock", doc, dims, "all", undefined);
}

/** Image → every patch after the final norm: an encoder for use elsewhere, without what training makes of it. */
export function encoderStages(n: ModelNumbers): readonly Stage[] {
  const dims = dimsOf(n);
  const trees = treesOf(n, dims);
  return [
    once(imagePatches(n, dims, trees)),
    once(embedAll(dims, trees)),
    loop(allPatchesBlock(dims), "encoder", n.encoder.depth),
    once(encodedTokens(dims)),
  ];
}

export function buildModel(n: ModelNumbers): Model {
  const dims = dimsOf(n);
  const trees = treesOf(n, dims);
  const targetBlocks = loop(allPatchesBlock(dims), "encoder", n.encoder.depth);
  const contextBlocks = loop(
    encoderBlock("contextBlock", "A block of the context encoder.", dims, "context", trees.batch.dropPath?.[0]),
    "encoder",
    n.encoder.depth,
  );
  return {
    dims,
    trees,
    operands: n.operands,
    images: {
      name: "images",
      title: "Images: patches of normalized pixels, once for all encoders",
      stages: [once(imagePatches(n, dims, trees))],
    },
    target: {
      name: "target",
      title: n.targetSpace === "pixels" ? "Targets: pixels" : "Target encoder: all patches, no gradient",
      stages:
        n.targetSpace === "pixels"
          ? [once(pixelTargets(n, dims, trees))]
          : [once(embedAll(dims, trees)), targetBlocks, once(selectTargets(n, dims, trees))],
    },
    context: {
      name: "context",
      title: "Context encoder: the patches that are kept",
      stages: [
        once(embedContext(dims, trees)),
        contextBlocks,
        once(encoderNorm("contextNorm", "The final norm.", dims)),
      ],
    },
    predictor: {
      name: "predictor",
      title: "Predictor: every target block from the context",
      stages: [
        once(predictorInput(n, dims, trees)),
        loop(predictorBlock(dims), "predictor", n.predictor.depth),
        once(predictorOutput(n, dims)),
      ],
    },
    loss: lossGraph(n, dims),
    features: {
      name: "features",
      title: "Features: the target encoder's mean over all patches",
      stages: [once(embedAll(dims, trees)), targetBlocks, once(pooledFeatures(dims))],
    },
  };
}
