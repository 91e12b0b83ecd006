/** Named axes: those that every model has, and the makers of an objective's own. */
import type { LengthName } from "../../runtime/step/lengths";
import type { Dim, SizeOf } from "../ir/number";
import type { BaseNumbers, Network } from "../plan/model-numbers";

export interface NetworkDims {
  readonly width: Dim;
  readonly qkv: Dim;
  readonly heads: Dim;
  readonly headWidth: Dim;
  readonly hidden: Dim;
}

/** The axes of any model. */
export interface Dims {
  readonly images: Dim;
  readonly patches: Dim;
  readonly values: Dim;
  readonly encoder: NetworkDims;
  /** What the encoder makes of a whole image: its patches, and the class token before them where there is one. */
  readonly allTokens: Dim;
  /** Those that may differ from program to program. */
  readonly lengths: readonly Dim[];
  /** All of them, in the order in which step.ts declares them; an axis that is made of others stands behind them. */
  readonly all: readonly Dim[];
}

export function fixed(name: string, size: number, counts: string, of?: SizeOf): Dim {
  return { kind: "dim", name, size, counts, varies: false, ...(of === undefined ? {} : { of }) };
}

export const times = (factor: number, dim: Dim): SizeOf => ({ how: "times", of: [factor, dim] });

interface LengthOf {
  readonly size: number;
  readonly counts: string;
  readonly varies: boolean;
  readonly of?: SizeOf;
}

export const length = (name: LengthName, { size, counts, varies, of }: LengthOf): Dim => ({
  ...fixed(name, size, counts, of),
  varies,
});

/** Tokens with a class token before them. */
export const withClassToken = (name: string, patches: Dim, counts: string): Dim =>
  fixed(name, 1 + patches.size, counts, { how: "sum", of: [1, patches] });

export function networkDims(
  of: string,
  { dim, heads, hidden }: Network,
  names: readonly [width: string, qkv: string, heads: string, headWidth: string, hidden: string],
): NetworkDims {
  const [widthName, qkv, headsName, headWidth, mlp] = names;
  const width = fixed(widthName, dim, `width of a token in the ${of}`);
  const ofHeads = fixed(headsName, heads, `attention heads of the ${of}`);
  return {
    width,
    qkv: fixed(qkv, 3 * dim, "query, key and value side by side", times(3, width)),
    heads: ofHeads,
    headWidth: fixed(headWidth, dim / heads, "width of one head", { how: "over", of: [width, ofHeads] }),
    hidden: fixed(mlp, hidden, `hidden width of the MLP in the ${of}`),
  };
}

export const networkAxes = ({ width, qkv, heads, headWidth, hidden }: NetworkDims): readonly Dim[] => [
  width,
  qkv,
  heads,
  headWidth,
  hidden,
];

/** Axes of images and of the encoder, which are called the same whatever is trained. */
export function encoderDims(n: BaseNumbers): Pick<Dims, "images" | "patches" | "values" | "encoder" | "allTokens"> {
  const patches = fixed("N", n.tokens, "patches of an image");
  return {
    images: fixed("B", n.images, "images in one run of the step"),
    patches,
    allTokens: n.classToken ? withClassToken("NE", patches, "the class token and all patches") : patches,
    values: fixed("V", 3 * n.patch * n.patch, `values of a patch: 3 · ${n.patch} · ${n.patch}`),
    encoder: networkDims("encoder", n.encoder, ["D", "D3", "H", "E", "F"]),
  };
}
