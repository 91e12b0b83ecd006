/** I-JEPA as chains of small graphs, the way the paper tells it; no saving is taken here (that is optimize/). */
import { type Graph, GraphBuilder } from "../../ir/graph";
import {
  blockOf,
  encoderLayout,
  encoderNorm,
  featuresChain,
  imagesChain,
  loop,
  once,
  patchesInto,
  patchGroup,
} from "../../model/encoder";
import { LAYER_NORM_EPS, layers, linearGroup, normGroup, tokenGroup } from "../../model/layers";
import { IMAGES, type Model } from "../../model/model";
import { dimsOf, type IJepaDims } from "./dims";
import { predictorLayout } from "./networks";
import type { IJepaNumbers } from "./numbers";
import { contextEmbedding, regularizing } from "./regularizer";
import { blockRows, targetChain } from "./targets";
import { type IJepaTrees, treesOf } from "./trees";

/**
 * The context's patches only. Gathering pixels before the embedding equals gathering tokens after it: the embedding
 * looks at one patch at a time.
 */
function embedContext(dims: IJepaDims, { batch, constants }: IJepaTrees): Graph {
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

/** What the predictor reads: the context's representations, then a mask token at every target position. */
function predictorInput(n: IJepaNumbers, dims: IJepaDims, { batch, constants }: IJepaTrees): Graph {
  const { width } = dims.predictor;
  const role = contextEmbedding(n);
  const g = new GraphBuilder(
    "predictorInput",
    "The context in the predictor's width, then a mask token at every target position.",
  );
  const embed = g.group(linearGroup("embed", "predictor.embed", [dims.encoder.width, width], role));
  const maskToken = g.group(tokenGroup("maskToken", "predictor.maskToken", width, layers.maskToken));
  const context = g.input("context", "f32", [dims.contextRows, dims.context, dims.encoder.width], "encoded");
  const predictorPositions = g.read("predictorPositions", constants.predictorPositions);
  const contextIndex = g.read("contextIndex", batch.contextIndex);
  const targetIndex = g.read("targetIndex", batch.targetIndex);

  const embedded = g.one("linear", [context, embed("weight"), embed("bias")], {}, role.split(" -> ")[1] ?? "embedded");
  const contextAt = g.one("gatherRows", [predictorPositions, contextIndex], {}, "contextPositions");
  const placed = g.one("add", [embedded, contextAt], {}, "placed");
  const tiled = g.one("tileBatch", [placed], { copies: n.targets, rows: dims.predictorRows }, "contextTokens");
  const targetAt = g.one("gatherRows", [predictorPositions, targetIndex], {}, "targetPositions");
  const rows = blockRows(g, n, dims, targetAt, "blockPositions");
  const masks = g.one("addVector", [rows, maskToken("")], {}, "maskTokens");
  return g.finish([g.one("concatTokens", [tiled, masks], { tokens: dims.sequence }, "sequence")]);
}

function predictorOutput(n: IJepaNumbers, dims: IJepaDims): Graph {
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

function lossGraph(n: IJepaNumbers, dims: IJepaDims): Graph {
  const width = n.targetSpace === "pixels" ? dims.values : dims.encoder.width;
  const g = new GraphBuilder("lossOf", "The mean over all elements of all target blocks.");
  const predictions = g.input("predictions", "f32", [dims.predictorRows, dims.target, width]);
  const features = n.targetSpace === "pixels" ? "patches" : "encoded";
  const role = n.normalizeTargets ? `normalize(${features})` : features;
  const targets = g.input("targets", "f32", [dims.predictorRows, dims.target, width], role);
  const pair = [predictions, targets];
  // beta is that of the released code (reference.md §5)
  const loss = n.loss === "mse" ? g.one("mse", pair, {}, "loss") : g.one("smoothL1", pair, { beta: 1 }, "loss");
  return g.finish([loss]);
}

export function buildModel(n: IJepaNumbers): Model {
  const dims = dimsOf(n);
  const trees = treesOf(n, dims);
  const encoder = encoderLayout(n, dims);
  const predictor = predictorLayout(n, dims);
  const added = regularizing(n, dims);
  const contextRows = [dims.contextRows, dims.context] as const;
  const contextBlock = blockOf(encoder, {
    name: "contextBlock",
    doc: "A block of the context encoder.",
    rows: contextRows,
    dropPath: trees.batch.dropPath?.[0],
  });
  const predictorBlock = blockOf(predictor, {
    name: "predictorBlock",
    doc: "A block of the predictor; every target block is a sequence of its own.",
    rows: [dims.predictorRows, dims.sequence],
  });
  return {
    dims,
    trees,
    networks: [encoder, predictor],
    operands: n.operands,
    images: imagesChain(n, dims),
    chains: [
      targetChain(n, dims, trees, "targets"),
      {
        kind: "trained",
        name: "context",
        part: "context encoder",
        title: "Context encoder: the patches that are kept",
        input: IMAGES,
        stages: [
          once(embedContext(dims, trees)),
          loop(contextBlock, "encoder", encoder.depth),
          once(encoderNorm({ name: "contextNorm", doc: "The final norm.", rows: contextRows }, dims)),
        ],
      },
      ...added.chains,
      {
        kind: "trained",
        name: "predictor",
        part: "predictor",
        title: "Predictor: every target block from the context",
        input: "context",
        ends: {
          first: "predictorFirstBlock",
          last: "predictorLastBlock",
          may: true,
          because: "so that the next passes see past the block",
        },
        stages: [
          once(predictorInput(n, dims, trees)),
          loop(predictorBlock, "predictor", predictor.depth),
          once(predictorOutput(n, dims)),
        ],
      },
    ],
    loss: lossGraph(n, dims),
    compares: { predictions: "predictor", targets: "target" },
    ...(added.regularizer && { regularizer: added.regularizer }),
    // A target encoder that is masked at its input has a block of another shape.
    features: featuresChain(n, dims, "target", { hasOwnBlock: n.targetsMaskedAt === "input" }),
    averages: true,
    observesAllTargets: true,
    source: "paper §3",
  };
}
