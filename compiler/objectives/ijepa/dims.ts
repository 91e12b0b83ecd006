/** The named axes of one experiment. */
import { type LengthName, lengthsOf } from "../../../runtime/step/lengths";
import type { Dim, SizeOf } from "../../ir/number";
import type { ModelNumbers, Network } from "../../plan/model-numbers";

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
  /** C, T, S and U: those that may differ from program to program. */
  readonly lengths: readonly Dim[];
}

function fixed(name: string, size: number, counts: string, of?: SizeOf): Dim {
  return { kind: "dim", name, size, counts, varies: false, ...(of === undefined ? {} : { of }) };
}

const times = (factor: number, dim: Dim): SizeOf => ({ how: "times", of: [factor, dim] });

function networkDims(
  of: string,
  { dim, heads, hidden }: Network,
  names: readonly [string, string, string, string, string],
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

export function dimsOf(n: ModelNumbers): Dims {
  const images = fixed("B", n.images, "images in one run of the step");
  const length = (name: LengthName, size: number, counts: string, varies: boolean, of?: SizeOf): Dim => ({
    ...fixed(name, size, counts, of),
    varies,
  });
  const { C, T, S, U } = lengthsOf(n, n.targets);
  const context = length("C", C, "context tokens", n.varies.context);
  const target = length("T", T, "tokens of a target block", n.varies.target);
  const sequence = length("S", S, "tokens of a predictor sequence: C + T", n.varies.sequence, {
    how: "sum",
    of: [context, target],
  });
  const allTargets = length(
    "U",
    U,
    `tokens of the ${n.targets} target blocks of an image: ${n.targets} · T`,
    n.varies.target,
    times(n.targets, target),
  );
  const contextRows =
    n.contexts === 1
      ? images
      : fixed(
          "BC",
          n.contexts * n.images,
          `context rows: ${n.contexts} contexts · ${n.images} images`,
          times(n.contexts, images),
        );
  return {
    images,
    patches: fixed("N", n.tokens, "patches of an image"),
    values: fixed("V", 3 * n.patch * n.patch, `values of a patch: 3 · ${n.patch} · ${n.patch}`),
    encoder: networkDims("encoder", n.encoder, ["D", "D3", "H", "E", "F"]),
    predictor: networkDims("predictor", n.predictor, ["P", "P3", "PH", "PE", "PF"]),
    context,
    target,
    sequence,
    allTargets,
    lengths: [context, target, sequence, allTargets],
    contextRows,
    predictorRows: fixed(
      "R",
      n.targets * n.contexts * n.images,
      `predictor sequences: ${n.targets} targets${n.contexts === 1 ? "" : ` · ${n.contexts} contexts`} · ${n.images} images`,
      times(n.targets, contextRows),
    ),
  };
}
