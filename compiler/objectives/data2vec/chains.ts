/** data2vec as chains of small graphs, the way the paper tells it (Baevski et al. 2022, arXiv 2202.03555, §3). */
import { type Graph, GraphBuilder } from "../../ir/graph";
import { blockOf, encoderLayout, encoderNormGroup, featuresChain, imagesChain, loop, once } from "../../model/encoder";
import { headGroup, headLayout } from "../../model/head";
import { LAYER_NORM_EPS } from "../../model/layers";
import { embedMasked } from "../../model/masked";
import { IMAGES, type Model } from "../../model/model";
import { type Data2VecDims, dimsOf } from "./dims";
import type { Data2VecNumbers } from "./numbers";
import { targetStages } from "./targets";
import { treesOf } from "./trees";

function maskedTokens(dims: Data2VecDims): Graph {
  const g = new GraphBuilder("maskedTokens", "The final norm, then the masked patches only.");
  const norm = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.rows, dims.sequence, dims.encoder.width]);
  const encoded = g.one("layerNorm", [x, norm("weight"), norm("bias")], { eps: LAYER_NORM_EPS }, "encoded");
  return g.finish([g.one("sliceTokens", [encoded], { start: dims.encoded, tokens: dims.masked }, "maskedTokens")]);
}

function regression(dims: Data2VecDims): Graph {
  const { width } = dims.encoder;
  const g = new GraphBuilder("predictions", "The regression head: one linear layer.");
  const head = g.group(headGroup(width, width));
  const x = g.input("x", "f32", [dims.rows, dims.masked, width], "encoded");
  return g.finish([g.one("linear", [x, head("weight"), head("bias")], {}, "predictions")]);
}

function lossGraph({ beta }: Data2VecNumbers, dims: Data2VecDims): Graph {
  const g = new GraphBuilder("lossOf", "The smooth L1 loss over all features of the masked patches.");
  const shape = [dims.rows, dims.masked, dims.encoder.width];
  const predictions = g.input("predictions", "f32", shape);
  const targets = g.input("targets", "f32", shape, "normalize(x)");
  return g.finish([g.one("smoothL1", [predictions, targets], { beta }, "loss")]);
}

export function buildModel(n: Data2VecNumbers): Model {
  const dims = dimsOf(n);
  const trees = treesOf(n, dims);
  const { positions } = trees.constants;
  const { visible, masked } = trees.batch;
  const encoder = encoderLayout(n, dims, { maskToken: true });
  const studentBlock = blockOf(encoder, {
    name: "studentBlock",
    doc: "A block of the student.",
    rows: [dims.rows, dims.sequence],
    dropPath: trees.batch.dropPath?.[0],
  });
  return {
    dims,
    trees,
    networks: [encoder, headLayout(dims.encoder, dims.encoder.width)],
    operands: n.operands,
    images: imagesChain(n, dims),
    chains: [
      {
        kind: "frozen",
        name: "teacher",
        part: "target encoder",
        ...targetStages(n, dims, trees),
        input: IMAGES,
        weights: "target",
        running: "h",
        result: "targets",
      },
      {
        kind: "trained",
        name: "student",
        part: "encoder",
        title: "Student: the same encoder, with a mask token in place of every masked patch",
        input: IMAGES,
        ends: { last: "studentLastBlock", may: true, because: "the loss reads masked patches alone" },
        stages: [
          once(embedMasked(n, dims, { positions, visible, masked }, { sets: n.sets, rows: dims.rows })),
          loop(studentBlock, encoder.name, encoder.depth),
          once(maskedTokens(dims)),
        ],
      },
      {
        kind: "trained",
        name: "head",
        part: "head",
        title: "Head: the targets from the student's masked patches",
        input: "student",
        stages: [once(regression(dims))],
      },
    ],
    loss: lossGraph(n, dims),
    compares: { predictions: "head", targets: "teacher" },
    features: featuresChain(n, dims, "target"),
    averages: true,
    source: "Baevski et al. 2022, §3",
  };
}
