/** The model with its gradients: every stage that is trained has a backward graph, simplified and verified. */
import type { Graph } from "../ir/graph";
import type { Chain, Stage } from "../ir/stage";
import { verify } from "../ir/verify";
import { keepBfloat16 } from "../optimize/keep-bfloat16";
import type { OptimizedModel } from "../optimize/pass-facts";
import { simplify } from "../optimize/simplify";
import { type Differentiated, differentiate, withBackward } from "./gradients";

/** A stage with its gradients. */
export interface TrainedStage extends Stage {
  readonly gradients: Differentiated;
}

export interface TrainedChain extends Omit<Chain, "stages"> {
  readonly stages: readonly TrainedStage[];
}

/** The target encoder and the features stay as they are: nothing flows back through them. */
export interface TrainedModel extends Omit<OptimizedModel, "context" | "predictor" | "loss"> {
  readonly context: TrainedChain;
  readonly predictor: TrainedChain;
  readonly loss: Differentiated;
}

function gradientsOf(graph: Graph, wants: { readonly input: boolean }): Differentiated {
  const raw = differentiate(graph, wants);
  verify(raw.backward, "autodiff");
  const keeping = withBackward(raw, keepBfloat16(raw.forward, raw.backward), (value) => value);
  verify(keeping.backward, "keep bfloat16");
  const { graph: backward, moved } = simplify(keeping.backward);
  const simple = withBackward(keeping, backward, moved);
  verify(simple.backward, "simplify");
  return simple;
}

function trainedChain(chain: Chain, wantsFirstInput: boolean): TrainedChain {
  return {
    ...chain,
    stages: chain.stages.map((stage, i) => ({
      ...stage,
      gradients: gradientsOf(stage.graph, { input: i > 0 || wantsFirstInput }),
    })),
  };
}

/** Differentiates what is trained: the context encoder by its weights, the predictor also by what it is given. */
export function trainedModel(model: OptimizedModel): TrainedModel {
  return {
    ...model,
    context: trainedChain(model.context, false),
    predictor: trainedChain(model.predictor, true),
    loss: gradientsOf(model.loss, { input: true }),
  };
}
