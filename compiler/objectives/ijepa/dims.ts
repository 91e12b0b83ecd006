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
  /** sets · images; the axis of images itself where an image has one set of masks. */
  readonly maskRows: Dim;
  /** contexts · sets · images; the axis of mask rows itself where there is one context. */
  readonly contextRows: Dim;
  /** targets · contexts · sets · images */
  readonly predictorRows: Dim;
}

export function dimsOf(n: IJepaNumbers): IJepaDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder } = shared;
  const predictor = networkDims("predictor", n.predictor, ["P", "P3", "PH", "PE", "PF"]);
  const { C, T, S, U } = lengthsOf(n, n.targets);
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
    counts: `tokens of the ${n.targets} target blocks of an image: ${n.targets} · T`,
    varies: n.varies.target,
    of: times(n.targets, target),
  });
  const maskRows =
    n.sets === 1
      ? images
      : fixed(
          "BM",
          n.sets * n.images,
          `images with each of their masks: ${n.sets} sets · ${n.images} images`,
          times(n.sets, images),
        );
  const masked = n.sets === 1 ? `${n.images} images` : `${n.sets} sets · ${n.images} images`;
  const contextRows =
    n.contexts === 1
      ? maskRows
      : fixed(
          "BC",
          n.contexts * maskRows.size,
          `context rows: ${n.contexts} contexts · ${masked}`,
          times(n.contexts, maskRows),
        );
  const predictorRows = fixed(
    "R",
    n.targets * contextRows.size,
    `predictor sequences: ${n.targets} targets${n.contexts === 1 ? "" : ` · ${n.contexts} contexts`} · ${masked}`,
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
    maskRows,
    contextRows,
    predictorRows,
    lengths,
    all: [
      images,
      patches,
      values,
      ...networkAxes(encoder),
      ...networkAxes(predictor),
      ...(maskRows === images ? [] : [maskRows]),
      ...(contextRows === maskRows ? [] : [contextRows]),
      predictorRows,
      ...lengths,
    ],
  };
}
