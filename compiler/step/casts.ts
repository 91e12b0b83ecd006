/** How often a step in bfloat16 rounds: what the tolerances of its numbers go by (runtime/replay/bfloat16.ts). */
import type { TrainedModel, TrainedStage } from "../autodiff/trained";
import type { Graph } from "../ir/graph";
import type { Stage } from "../ir/stage";
import { blocksOf } from "./step";

/** Casts of values; casts of weights where they are not those of the forward graph once more. */
const castsIn = (graph: Graph): number => graph.nodes.filter(({ op }) => op === "toBf16").length;
const freshCastsIn = (graph: Graph): number =>
  graph.nodes.filter(({ op, inputs: [from] }) => op === "toBf16" && from?.parameter === undefined).length;

export const castsOf = ({ gradients }: Pick<TrainedStage, "gradients">): number =>
  castsIn(gradients.forward) + freshCastsIn(gradients.backward);

/** Of a whole step, forward and backward; 0 in float32. */
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
