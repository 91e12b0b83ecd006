/**
 * Images some of whose patches are masked, as a network sees them: the patches that are seen, and a mask token for each of
 * the others, all at their positions. Papers write a sequence in the order of the image, with mask tokens in it; attention
 * knows no order but that of positions, so here the mask tokens stand behind, and what is said of masked patches alone is a
 * slice. No patch is embedded of which nothing is seen.
 */
import { type Graph, GraphBuilder, type Leaf, type Value } from "../ir/graph";
import type { Dim, Num } from "../ir/number";
import type { BaseNumbers } from "../plan/model-numbers";
import { type Dims, encoderDims, fixed, type NetworkDims, networkAxes, withClassToken } from "./dims";
import { afterClassToken, type EncoderDims, patchesInto, patchGroup } from "./encoder";
import { layers, tokenGroup } from "./layers";
import { batchLeaf } from "./trees";

/** Patches of an image that are seen, and all others. */
export interface MaskNumbers {
  readonly visible: number;
  readonly masked: number;
}

/** The axes of a model that masks patches: those of every model, and of its masks. */
export interface MaskDims extends Dims {
  readonly visible: Dim;
  readonly masked: Dim;
  /** The visible patches, and the class token before them where there is one. */
  readonly encoded: Dim;
  /** That, and a mask token for every masked patch. */
  readonly sequence: Dim;
}

/**
 * Masks are equally long in every image. `counts` says whose tokens a sequence with mask tokens is; `decoder` has the axes of
 * a network behind the encoder.
 */
export function maskDims(n: BaseNumbers & MaskNumbers, counts: string, decoder?: NetworkDims): MaskDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder, allTokens } = shared;
  const visible = fixed("C", n.visible, "visible patches of an image");
  const masked = fixed("T", n.masked, "masked patches of an image");
  const encoded = n.classToken ? withClassToken("CE", visible, "the class token and the visible patches") : visible;
  const sequence = fixed("S", encoded.size + masked.size, counts, { how: "sum", of: [encoded, masked] });
  const networks = [...networkAxes(encoder), ...(decoder === undefined ? [] : networkAxes(decoder))];
  const ofClassToken = n.classToken ? [allTokens, encoded] : [];
  return {
    ...shared,
    visible,
    masked,
    encoded,
    sequence,
    lengths: [visible, masked],
    all: [images, patches, values, ...networks, visible, masked, ...ofClassToken, sequence],
  };
}

/** The leaves of such masks. */
export const maskLeaves = ({ images, visible, masked }: Pick<MaskDims, "images" | "visible" | "masked">) => ({
  visible: batchLeaf("visible", {
    dtype: "i32",
    shape: [images, visible],
    doc: "The patches that the encoder sees, drawn at random for every image.",
  }),
  masked: batchLeaf("masked", { dtype: "i32", shape: [images, masked], doc: "All other patches." }),
});

/** Patches that are seen and patches that are masked, [rows, patches] each; the table of positions of all of them. */
export interface MaskLeaves {
  readonly positions: Leaf;
  readonly visible: Leaf;
  readonly masked: Leaf;
}

interface VisibleTokens {
  readonly patches: Value;
  readonly positions: Value;
  readonly visible: Value;
  readonly tokens: Value;
}

/** The visible patches, embedded, at their positions. Gathering pixels before the embedding equals gathering tokens after it. */
export function visibleTokens(
  g: GraphBuilder,
  dims: EncoderDims,
  leaves: Pick<MaskLeaves, "positions" | "visible">,
  name: string,
): VisibleTokens {
  const weights = g.group(patchGroup(dims));
  const patches = patchesInto(g, dims);
  const positions = g.read("positions", leaves.positions);
  const visible = g.read("visible", leaves.visible);
  const kept = g.one("gatherTokens", [patches, visible], {}, "kept");
  const embedded = g.one("linear", [kept, weights("weight"), weights("bias")], {}, "embedded");
  const at = g.one("gatherRows", [positions, visible], {}, "positionsOfVisible");
  return { patches, positions, visible, tokens: g.one("add", [embedded, at], {}, name) };
}

/** The mask token at the position of every masked patch: [rows, masked, width]. */
export function maskTokensAt(g: GraphBuilder, token: Value, positions: Value, masked: Value): Value {
  const at = g.one("gatherRows", [positions, masked], {}, "maskedAt");
  return g.one("addVector", [at, token], {}, "maskTokens");
}

/** Sets of masks of every image, and the rows that they are: (set, image). */
export interface MaskSets {
  readonly sets: number;
  readonly rows: Num;
}

/** The first layer of an encoder that sees mask tokens: [rows, sequence, width]. */
export function embedMasked(
  n: BaseNumbers,
  dims: EncoderDims & Pick<MaskDims, "encoded" | "sequence">,
  leaves: MaskLeaves,
  { sets, rows }: MaskSets = { sets: 1, rows: dims.images },
): Graph {
  const g = new GraphBuilder(
    "embedMasked",
    `${n.classToken ? "The class token, then the" : "The"} visible patches, embedded, then a mask token in place of every ` +
      "masked patch, all at their positions. Attention knows no order, so nothing is put back into that of the image.",
  );
  const { positions, tokens } = visibleTokens(g, dims, leaves, n.classToken ? "placed" : "visibleTokens");
  const copies = sets === 1 ? undefined : { copies: sets, rows };
  const seen = afterClassToken(g, n, dims, { patches: tokens, tokens: dims.encoded, name: "seen", copies });
  const maskToken = g.group(tokenGroup("maskToken", "encoder.maskToken", dims.encoder.width, layers.maskToken));
  const masks = maskTokensAt(g, maskToken(""), positions, g.read("masked", leaves.masked));
  return g.finish([g.one("concatTokens", [seen, masks], { tokens: dims.sequence }, "out")]);
}
