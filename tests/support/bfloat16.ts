/**
 * How far numbers may be apart that were computed with operands in bfloat16 and in float64.
 *
 * A cast rounds to 8 bits of significand, so its relative error is at most u = 2⁻⁸ (the unit roundoff): uniform within
 * ±u / s for a significand s in [1, 2), and significands are spread like 1 / s, which makes √(u² / 3 · (1 − ¼) / (2 ln 2)) =
 * 0.425 u of it in the root mean square. Sums of products are exact beside it, and errors of different casts are
 * independent, so that they add up in quadrature: what N casts have a part in is off by √N · 0.425 u of its norm, if it
 * is no difference of nearly equal numbers. Means that norms and the gradient of softmax subtract are such; twice as much
 * is allowed for them.
 */
import type { TrainedModel, TrainedStage } from "../../compiler/autodiff/trained";
import type { Graph } from "../../compiler/ir/graph";
import type { Stage } from "../../compiler/ir/stage";
import { blocksOf } from "../../compiler/step/step";

const UNIT_ROUNDOFF = 2 ** -8;
const MEAN_SQUARE = Math.sqrt((1 - 1 / 4) / (2 * Math.log(2)) / 3);

export function toleranceOf(casts: number): number {
  return 2 * Math.sqrt(casts) * MEAN_SQUARE * UNIT_ROUNDOFF;
}

/** Casts of values; casts of weights where they are not those of the forward graph once more. */
const castsIn = (graph: Graph): number => graph.nodes.filter(({ op }) => op === "toBf16").length;
const freshCastsIn = (graph: Graph): number =>
  graph.nodes.filter(({ op, inputs: [from] }) => op === "toBf16" && from?.parameter === undefined).length;

export const castsOf = ({ gradients }: Pick<TrainedStage, "gradients">): number =>
  castsIn(gradients.forward) + freshCastsIn(gradients.backward);

/** Of a whole step. */
export function castsOfStep({ chains }: TrainedModel): number {
  const times = (stage: Stage): number => blocksOf(stage).length;
  return chains
    .flatMap((chain) =>
      chain.kind === "frozen"
        ? chain.stages.map((stage) => times(stage) * castsIn(stage.graph))
        : chain.stages.map((stage) => times(stage) * castsOf(stage)),
    )
    .reduce((sum, casts) => sum + casts, 0);
}

/** ‖found − exact‖ / ‖exact‖ over all numbers. */
export function relativeError(pairs: Iterable<readonly [found: ArrayLike<number>, exact: ArrayLike<number>]>): number {
  let error = 0;
  let whole = 0;
  for (const [found, exact] of pairs) {
    for (let i = 0; i < exact.length; i++) {
      error += ((found[i] ?? Number.NaN) - (exact[i] ?? Number.NaN)) ** 2;
      whole += (exact[i] ?? Number.NaN) ** 2;
    }
  }
  return Math.sqrt(error / whole);
}
