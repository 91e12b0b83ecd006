/**
 * A decoder from representations to pixels, the paper's Figure 6 in spirit (reference.md §5 has the targets): a shallow
 * transformer that is given a target block's representations and gives the pixels of its patches. It is trained on what the
 * predictor is held to, and shown what the predictor gives. Nothing flows back into the target encoder.
 */
import { type Graph, GraphBuilder, type Leaf } from "../../ir/graph";
import { fixed, networkAxes, networkDims, times } from "../../model/dims";
import { blockOf, encoderLayout, featuresChain, imagesChain, loop, once } from "../../model/encoder";
import { LAYER_NORM_EPS, layers, linearGroup, normGroup } from "../../model/layers";
import { IMAGES, type Model } from "../../model/model";
import type { NetworkLayout } from "../../model/networks";
import { type ModelTrees, positionsLeaf, scheduleLeaves } from "../../model/trees";
import type { Network } from "../../plan/model-numbers";
import { dimsOf, type IJepaDims } from "./dims";
import type { IJepaNumbers } from "./numbers";
import { blockRows, pixelTargets, targetChain } from "./targets";
import { type IJepaTrees, treesOf } from "./trees";

/** The axes of I-JEPA with the decoder in the place of the predictor, and without a context. */
function decoderDims(n: IJepaNumbers, network: Network): IJepaDims {
  const own = dimsOf(n);
  const { images, patches, values, encoder, contextRows, predictorRows, target, allTargets } = own;
  const decoder = networkDims("decoder", network, ["P", "P3", "PH", "PE", "PF"]);
  const counts = `target blocks of the ${n.images} images: ${n.targets} of each`;
  const rows = fixed("R", predictorRows.size, counts, times(n.targets, contextRows));
  return {
    ...own,
    predictor: decoder,
    predictorRows: rows,
    lengths: [target, allTargets],
    all: [
      images,
      patches,
      values,
      ...networkAxes(encoder),
      ...networkAxes(decoder),
      ...(contextRows === images ? [] : [contextRows]),
      rows,
      target,
      allTargets,
    ],
  };
}

interface DecoderTrees extends ModelTrees {
  readonly batch: ModelTrees["batch"] & { readonly targetIndex: Leaf };
  readonly constants: ModelTrees["constants"] & { readonly decoderPositions: Leaf };
}

/** What its step is handed: of I-JEPA's what targets are made of. */
function decoderTrees(dims: IJepaDims, { batch, constants }: IJepaTrees): DecoderTrees {
  const { images, targetIndex } = batch;
  const { predictorPositions, ...others } = constants;
  const decoderPositions = positionsLeaf("decoderPositions", dims, dims.predictor.width);
  return {
    batch: { images, targetIndex },
    schedule: scheduleLeaves({ averages: false }),
    constants: { ...others, decoderPositions },
  };
}

function decoderLayout(dims: IJepaDims, role: string, depth: number): NetworkLayout {
  const { width } = dims.predictor;
  return {
    name: "decoder",
    type: "Decoder",
    dims: dims.predictor,
    depth,
    layers: [
      { kind: "linear", name: "embed", official: "embed", inputs: dims.encoder.width, outputs: width, role },
      { kind: "blocks", name: "blocks", official: "blocks" },
      { kind: "norm", name: "norm", official: "norm", width, role: layers.predictorNorm },
      { kind: "linear", name: "pred", official: "pred", inputs: width, outputs: dims.values, role: layers.proj },
    ],
  };
}

interface Representations {
  /** What their values are, as runtime/ops/roles.ts names it. */
  readonly role: string;
  /** Of the weight that is given them first. */
  readonly embed: string;
}

function decoderInput(
  n: IJepaNumbers,
  dims: IJepaDims,
  { batch }: IJepaTrees,
  { role, embed: of }: Representations,
): Graph {
  const { width } = dims.predictor;
  const g = new GraphBuilder(
    "decoderInput",
    "The representations of a block in the decoder's width, at their positions.",
  );
  const embed = g.group(linearGroup("embed", "decoder.embed", [dims.encoder.width, width], of));
  const shape = [dims.predictorRows, dims.target, dims.encoder.width];
  const representations = g.input("representations", "f32", shape, role);
  const positions = g.read("decoderPositions", positionsLeaf("decoderPositions", dims, width));
  const targetIndex = g.read("targetIndex", batch.targetIndex);
  const embedded = g.one("linear", [representations, embed("weight"), embed("bias")], {}, "embedded");
  const at = g.one("gatherRows", [positions, targetIndex], {}, "positionsOfTargets");
  return g.finish([g.one("add", [embedded, blockRows(g, n, dims, at, "positionsOfBlocks")], {}, "out")]);
}

function pixels(dims: IJepaDims): Graph {
  const { width } = dims.predictor;
  const g = new GraphBuilder("decodedPixels", "The final norm, then the pixels of every patch.");
  const norm = g.group(normGroup("norm", "decoder.norm", width, layers.predictorNorm));
  const pred = g.group(linearGroup("pred", "decoder.pred", [width, dims.values], layers.proj));
  const x = g.input("x", "f32", [dims.predictorRows, dims.target, width]);
  const normed = g.one("layerNorm", [x, norm("weight"), norm("bias")], { eps: LAYER_NORM_EPS }, "normed");
  return g.finish([g.one("linear", [normed, pred("weight"), pred("bias")], {}, "predictions")]);
}

function lossGraph({ predictorRows, target, values }: IJepaDims): Graph {
  const g = new GraphBuilder("lossOf", "The mean over all pixels of all target blocks.");
  const predictions = g.input("predictions", "f32", [predictorRows, target, values]);
  const targets = g.input("targets", "f32", [predictorRows, target, values], "patches");
  return g.finish([g.one("mse", [predictions, targets], {}, "loss")]);
}

export function decoderModel(n: IJepaNumbers, network: Network): Model | { readonly why: string } {
  if (n.targetSpace === "pixels") return { why: "its predictor predicts pixels, which need no decoder" };
  const dims = decoderDims(n, network);
  const trees = treesOf(n, dims);
  const encoder = encoderLayout(n, dims);
  const role = n.normalizeTargets ? "normalize(encoded)" : "encoded";
  const of: Representations = { role, embed: `${role} -> embedded` };
  const decoder = decoderLayout(dims, of.embed, network.depth);
  const decoderBlock = blockOf(decoder, {
    name: "decoderBlock",
    doc: "A block of the decoder; every target block is a sequence of its own.",
    rows: [dims.predictorRows, dims.target],
  });
  const ofPixels = { ...n, targetSpace: "pixels", normalizeTargets: false } as const;
  return {
    dims,
    trees: decoderTrees(dims, trees),
    networks: [decoder],
    frozen: [encoder],
    operands: n.operands,
    images: imagesChain(n, dims),
    chains: [
      targetChain(n, dims, trees, "representations"),
      {
        kind: "frozen",
        name: "pixels",
        part: "pixels",
        title: "Pixels: what the decoder is held to",
        input: IMAGES,
        weights: "weights",
        running: "h",
        result: "targets",
        stages: [once(pixelTargets(ofPixels, dims, trees))],
      },
      {
        kind: "trained",
        name: "decoder",
        part: "decoder",
        title: "Decoder: the pixels of every target block from its representations",
        input: "target",
        stages: [
          once(decoderInput(n, dims, trees, of)),
          loop(decoderBlock, "decoder", decoder.depth),
          once(pixels(dims)),
        ],
      },
    ],
    loss: lossGraph(dims),
    compares: { predictions: "decoder", targets: "pixels" },
    features: featuresChain(n, dims, "target", { hasOwnBlock: n.targetsMaskedAt === "input" }),
    averages: false,
    source: "paper, Figure 6, in spirit",
  };
}
