/** The named axes of I-JEPA: those of context, targets and predictor beside those of every model. */
import { lengthsOf } from "../../../runtime/step/lengths";
import type { Dim } from "../../ir/number";
import {
  type Dims,
  encoderDims,
  fixed,
  length,
  type NetworkDims,
  networkAxes,
  networkDims,
  times,
} from "../../model/dims";
import type { IJepaNumbers } from "./numbers";

export interface IJepaDims extends Dims {
  readonly predictor: NetworkDims;
  readonly context: Dim;
  readonly target: Dim;
  readonly sequence: Dim;
  readonly allTargets: Dim;
  /** sets · contexts · images; the axis of images itself where an image has one context. */
  readonly contextRows: Dim;
  /** targets · sets · contexts · images */
  readonly predictorRows: Dim;
}

export function dimsOf(n: IJepaNumbers): IJepaDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder } = shared;
  const predictor = networkDims("predictor", n.predictor, ["P", "P3", "PH", "PE", "PF"]);
  const blocks = n.targets * n.sets;
  const { C, T, S, U } = lengthsOf(n, blocks);
  const context = length("C", { size: C, counts: "context tokens", varies: n.varies.context });
  const target = length("T", { size: T, counts: "tokens of a target block", varies: n.varies.target });
  const sequence = length("S", {
    size: S,
    counts: "tokens of a predictor sequence: C + T",
    varies: n.varies.sequence,
    of: { how: "sum", of: [context, target] },
  });
  const allTargets = length("U", {
    size: U,
    counts: `tokens of the ${blocks} target blocks of an image${n.sets === 1 ? "" : `, ${n.targets} in each of ${n.sets} sets`}: ${blocks} · T`,
    varies: n.varies.target,
    of: times(blocks, target),
  });
  const contexts = n.sets * n.contexts;
  const factors = [
    ...(n.sets === 1 ? [] : [`${n.sets} sets of masks`]),
    ...(n.contexts === 1 ? [] : [`${n.contexts} contexts`]),
    `${n.images} images`,
  ].join(" · ");
  const contextRows =
    contexts === 1 ? images : fixed("BC", contexts * n.images, `context rows: ${factors}`, times(contexts, images));
  const predictorRows = fixed(
    "R",
    n.targets * contexts * n.images,
    `predictor sequences: ${n.targets} targets · ${factors}`,
    times(n.targets, contextRows),
  );
  const lengths = [context, target, sequence, allTargets];
  return {
    ...shared,
    predictor,
    context,
    target,
    sequence,
    allTargets,
    contextRows,
    predictorRows,
    lengths,
    all: [
      images,
      patches,
      values,
      ...networkAxes(encoder),
      ...networkAxes(predictor),
      ...(contextRows === images ? [] : [contextRows]),
      predictorRows,
      ...lengths,
    ],
  };
}
