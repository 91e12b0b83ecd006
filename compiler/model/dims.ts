/** The named axes of one experiment. */
import type { Dim } from "../ir/number";

/** What the model is built from; every number is decided (see plan/). */
export interface ModelNumbers {
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly patch: number;
  readonly tokens: number;
  /** Images of one run of the step. */
  readonly images: number;
  readonly encoder: Network;
  readonly predictor: Network;
  readonly contexts: number;
  readonly targets: number;
  /** Tokens of the most probable program. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Whether programs differ in their number of context, target tokens, sum of both. */
  readonly varies: { readonly context: boolean; readonly target: boolean; readonly sequence: boolean };
  readonly targetSpace: "representations" | "pixels";
  /** Layer norm of the targets. */
  readonly normalizeTargets: boolean;
  readonly loss: "smoothL1" | "mse";
  /** Whether the context encoder has stochastic depth. */
  readonly dropPath: boolean;
}

export interface Network {
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
}

export interface NetworkDims {
  readonly width: Dim;
  readonly qkv: Dim;
  readonly heads: Dim;
  readonly headWidth: Dim;
  readonly hidden: Dim;
}

export interface Dims {
  readonly images: Dim;
  readonly patches: Dim;
  readonly values: Dim;
  readonly encoder: NetworkDims;
  readonly predictor: NetworkDims;
  readonly context: Dim;
  readonly target: Dim;
  readonly sequence: Dim;
  readonly allTargets: Dim;
  /** contexts · images; the axis of images itself where there is one context. */
  readonly contextRows: Dim;
  /** targets · contexts · images */
  readonly predictorRows: Dim;
}

function fixed(name: string, size: number, counts: string): Dim {
  return { kind: "dim", name, size, counts, varies: false };
}

function networkDims(
  of: string,
  { dim, heads, hidden }: Network,
  names: readonly [string, string, string, string, string],
): NetworkDims {
  const [width, qkv, head, headWidth, mlp] = names;
  return {
    width: fixed(width, dim, `width of a token in the ${of}`),
    qkv: fixed(qkv, 3 * dim, "query, key and value side by side"),
    heads: fixed(head, heads, `attention heads of the ${of}`),
    headWidth: fixed(headWidth, dim / heads, "width of one head"),
    hidden: fixed(mlp, hidden, `hidden width of the MLP in the ${of}`),
  };
}

export function dimsOf(n: ModelNumbers): Dims {
  const images = fixed("B", n.images, "images in one run of the step");
  const length = (name: string, size: number, counts: string, varies: boolean): Dim => ({
    kind: "dim",
    name,
    size,
    counts,
    varies,
  });
  return {
    images,
    patches: fixed("N", n.tokens, "patches of an image"),
    values: fixed("V", 3 * n.patch * n.patch, `values of a patch: 3 · ${n.patch} · ${n.patch}`),
    encoder: networkDims("encoder", n.encoder, ["D", "D3", "H", "E", "F"]),
    predictor: networkDims("predictor", n.predictor, ["P", "P3", "PH", "PE", "PF"]),
    context: length("C", n.contextTokens, "context tokens", n.varies.context),
    target: length("T", n.targetTokens, "tokens of a target block", n.varies.target),
    sequence: length("S", n.contextTokens + n.targetTokens, "tokens of a predictor sequence: C + T", n.varies.sequence),
    allTargets: length(
      "U",
      n.targets * n.targetTokens,
      `tokens of the ${n.targets} target blocks of an image: ${n.targets} · T`,
      n.varies.target,
    ),
    contextRows:
      n.contexts === 1
        ? images
        : fixed("BC", n.contexts * n.images, `context rows: ${n.contexts} contexts · ${n.images} images`),
    predictorRows: fixed(
      "R",
      n.targets * n.contexts * n.images,
      `predictor sequences: ${n.targets} targets${n.contexts === 1 ? "" : ` · ${n.contexts} contexts`} · ${n.images} images`,
    ),
  };
}
