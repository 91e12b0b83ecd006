/** The vision transformer that is trained: its parts as graphs and stages, which every objective makes its chains of. */
import { type Graph, GraphBuilder, type Group, type Leaf, type Value } from "../ir/graph";
import type { Num } from "../ir/number";
import type { Chain, NetworkName, Stage } from "../ir/stage";
import type { BaseNumbers } from "../plan/model-numbers";
import { type Dims, encoderDims } from "./dims";
import {
  block,
  blockWeights,
  type DropPath,
  groupOf,
  LAYER_NORM_EPS,
  layers,
  linearGroup,
  normGroup,
  tokenGroup,
} from "./layers";
import { type FeaturesChain, IMAGES } from "./model";
import { blockType, maskTokenLayer, type NetworkLayout } from "./networks";
import { classPositionLeaf, imagesLeaf, pixelLeaves, positionsLeaf } from "./trees";

export type EncoderDims = Pick<Dims, "images" | "patches" | "values" | "encoder" | "allTokens">;

export const once = (graph: Graph): Stage => ({ graph, repeated: false });

/** All blocks of a network as one loop. */
export function loop(graph: Graph, network: NetworkName, depth: number): Stage {
  return { graph, repeated: true, blocks: { network, from: 0, to: depth } };
}

export interface OwnLayers {
  /** Whether a mask token is trained with it, for an encoder that sees masked patches. */
  readonly maskToken?: boolean;
}

export function encoderLayout(n: BaseNumbers, dims: EncoderDims, { maskToken = false }: OwnLayers = {}): NetworkLayout {
  const { width } = dims.encoder;
  return {
    name: "encoder",
    type: "Encoder",
    dims: dims.encoder,
    depth: n.encoder.depth,
    layers: [
      ...(n.classToken
        ? [
            {
              kind: "token",
              name: "classToken",
              official: "cls_token",
              width,
              role: layers.classToken,
              what: "the class token",
            } as const,
          ]
        : []),
      ...(maskToken ? [maskTokenLayer(width)] : []),
      {
        kind: "linear",
        name: "patchEmbed",
        official: "patch_embed.proj",
        inputs: dims.values,
        outputs: width,
        role: layers.patchEmbed,
        isOfPatches: true,
      },
      { kind: "blocks", name: "blocks", official: "blocks" },
      { kind: "norm", name: "norm", official: "norm", width, role: layers.encoderNorm },
    ],
  };
}

/** The weights of one block of a network, as its functions are handed them. */
export const blockGroup = ({ name, type, dims }: Pick<NetworkLayout, "name" | "type" | "dims">): Group =>
  groupOf("block", { name: blockType({ type }), axes: [] }, `${name}.blocks.*`, blockWeights(dims));

export const patchGroup = (dims: EncoderDims): Group =>
  linearGroup("patchEmbed", "encoder.patchEmbed", [dims.values, dims.encoder.width], layers.patchEmbed);

interface AfterClassToken {
  readonly patches: Value;
  readonly tokens: Num;
  readonly name: string;
  /** Where there are several rows for each image, (copy, image). */
  readonly copies?: { readonly copies: number; readonly rows: Num } | undefined;
}

/** The class token before the tokens of patches, at a position that is zero; the patches alone where there is none. */
export function afterClassToken(
  g: GraphBuilder,
  n: BaseNumbers,
  dims: EncoderDims,
  { patches, tokens, name, copies }: AfterClassToken,
): Value {
  if (!n.classToken) return patches;
  const { width } = dims.encoder;
  const token = g.group(tokenGroup("classToken", "encoder.classToken", width, layers.classToken));
  const position = g.read("classPosition", classPositionLeaf(dims));
  const alone = g.one("addVector", [position, token("")], {}, copies === undefined ? "first" : "alone");
  const first = copies === undefined ? alone : g.one("tileBatch", [alone], copies, "first");
  return g.one("concatTokens", [first, patches], { tokens }, name);
}

export const encoderNormGroup = (dims: EncoderDims): Group =>
  normGroup("norm", "encoder.norm", dims.encoder.width, layers.encoderNorm);

/** What every encoder sees of the images: their pixels, normalized where the step is given bytes, patch by patch. */
function imagePatches(n: BaseNumbers, dims: EncoderDims): Graph {
  const { pixelMean, pixelStd } = pixelLeaves(n);
  const areBytes = pixelMean !== undefined && pixelStd !== undefined;
  const g = new GraphBuilder(
    "imagePatches",
    areBytes
      ? "Bytes to normalized pixels, cut into patches."
      : "Pixels that are normalized already, cut into patches.",
  );
  const images = g.read("images", imagesLeaf(n, dims));
  const pixels = areBytes
    ? g.one("normalizePixels", [images, g.read("mean", pixelMean), g.read("std", pixelStd)], {}, "pixels")
    : images;
  const cut = { patch: n.patch, tokens: dims.patches, values: dims.values };
  return g.finish([g.one("patchify", [pixels], cut, "patches")]);
}

/** The chain that all others begin with. */
export const imagesChain = (n: BaseNumbers, dims: EncoderDims): Chain => ({
  name: IMAGES,
  title: "Images: patches of normalized pixels, made once",
  stages: [once(imagePatches(n, dims))],
});

/** The patches of the images as the input of a graph. */
export const patchesInto = (g: GraphBuilder, dims: EncoderDims): Value =>
  g.input("patches", "f32", [dims.images, dims.patches, dims.values]);

/** All patches of the images: the first layer of an encoder that sees all of them (reference.md §3). */
export function embedAll(n: BaseNumbers, dims: EncoderDims): Graph {
  const g = new GraphBuilder(
    "embedPatches",
    `${n.classToken ? "The class token, then every" : "Every"} patch of the images, embedded, at its position.`,
  );
  const weights = g.group(patchGroup(dims));
  const patches = patchesInto(g, dims);
  const positions = g.read("positions", positionsLeaf("positions", dims, dims.encoder.width));
  const embedded = g.one("linear", [patches, weights("weight"), weights("bias")], {}, "embedded");
  const placed = g.one("addTable", [embedded, positions], {}, n.classToken ? "placed" : "out");
  return g.finish([afterClassToken(g, n, dims, { patches: placed, tokens: dims.allTokens, name: "out" })]);
}

export interface BlockGraph {
  readonly name: string;
  readonly doc: string;
  /** Of its input and output but for the width: [rows, tokens]. */
  readonly rows: readonly [Num, Num];
  readonly dropPath?: { readonly attn: Leaf; readonly mlp: Leaf } | undefined;
}

/** A block of a network. */
export function blockOf(
  network: Pick<NetworkLayout, "name" | "type" | "dims">,
  { name, doc, rows, dropPath }: BlockGraph,
): Graph {
  const g = new GraphBuilder(name, doc);
  const weights = g.group(blockGroup(network));
  const x = g.input("x", "f32", [...rows, network.dims.width]);
  const drop: DropPath | undefined = dropPath && {
    attn: g.read("dropPathAttn", dropPath.attn),
    mlp: g.read("dropPathMlp", dropPath.mlp),
  };
  return g.finish([block(g, weights, network.dims, x, drop)]);
}

/** The final norm of the encoder, of rows of so many tokens. */
export function encoderNorm(
  { name, doc, rows }: Omit<BlockGraph, "dropPath">,
  dims: EncoderDims,
  result = "out",
): Graph {
  const g = new GraphBuilder(name, doc);
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [...rows, dims.encoder.width]);
  return g.finish([g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, result)]);
}

function pooledFeatures(n: BaseNumbers, dims: EncoderDims): Graph {
  const g = new GraphBuilder("pooledFeatures", "The final norm, then the mean over all patches.");
  const weights = g.group(encoderNormGroup(dims));
  const x = g.input("x", "f32", [dims.images, dims.allTokens, dims.encoder.width]);
  const encoded = g.one("layerNorm", [x, weights("weight"), weights("bias")], { eps: LAYER_NORM_EPS }, "encoded");
  return g.finish([g.one("meanTokens", [patchesOf(g, n, dims, encoded)], {}, "features")]);
}

/** The patches behind the class token, where there is one. */
export function patchesOf(g: GraphBuilder, n: BaseNumbers, dims: EncoderDims, tokens: Value, name = "patches"): Value {
  if (!n.classToken) return tokens;
  return g.one("sliceTokens", [tokens], { start: 1, tokens: dims.patches }, name);
}

/** Of an encoder that is not trained by what it makes. */
export const targetBlock = {
  name: "targetBlock",
  doc: "A block of the target encoder; nothing is kept for a backward pass.",
};
const ofFeatures = { name: "encoderBlock", doc: "A block of the encoder; nothing is kept for a backward pass." };

export interface OwnBlock {
  /** Whether features need a block beside that of the step: left out, where they are not of the target encoder. */
  readonly hasOwnBlock?: boolean;
}

/** All blocks of an encoder that sees every patch and is not trained by what it makes of them. */
export function frozenBlocks(
  n: BaseNumbers,
  dims: EncoderDims,
  weights: FeaturesChain["weights"],
  { hasOwnBlock = weights !== "target" }: OwnBlock = {},
): Stage {
  const names = hasOwnBlock ? ofFeatures : targetBlock;
  const layout = encoderLayout(n, dims);
  return loop(blockOf(layout, { ...names, rows: [dims.images, dims.allTokens] }), layout.name, layout.depth);
}

/** What probes look through: the mean over all patches after the final norm, of the encoder in this tree of the state. */
export function featuresChain(
  n: BaseNumbers,
  dims: EncoderDims,
  weights: FeaturesChain["weights"],
  own: OwnBlock = {},
): FeaturesChain {
  const encoder = weights === "target" ? "target encoder" : "encoder";
  return {
    name: "features",
    title: `Features: the ${encoder}'s mean over all patches`,
    doc: `What probes see of an image: the mean over the ${encoder}'s patches (paper §4).`,
    part: encoder,
    weights,
    stages: [once(embedAll(n, dims)), frozenBlocks(n, dims, weights, own), once(pooledFeatures(n, dims))],
  };
}

/** A block's tokens → the mean over all patches after the final norm. */
export const pooledStage = (n: BaseNumbers): Stage => once(pooledFeatures(n, encoderDims(n)));

/** Image → every token after the final norm, the class token first where there is one: an encoder for use elsewhere, without what training makes of it. */
export function encoderStages(n: BaseNumbers): readonly Stage[] {
  const dims = encoderDims(n);
  const norm = {
    name: "encodedTokens",
    doc: "The final norm of every token.",
    rows: [dims.images, dims.allTokens],
  } as const;
  return [
    ...imagesChain(n, dims).stages,
    once(embedAll(n, dims)),
    frozenBlocks(n, dims, "target"),
    once(encoderNorm(norm, dims, "encoded")),
  ];
}
