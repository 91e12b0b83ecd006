/** The model with its gradients: every stage that is trained has a backward graph, simplified and verified. */
import type { Graph } from "../ir/graph";
import type { Stage } from "../ir/stage";
import { verify } from "../ir/verify";
import type { FrozenChain, LearningChain, Regularizer } from "../model/model";
import { keepBfloat16 } from "../optimize/keep-bfloat16";
import type { OptimizedModel } from "../optimize/pass-facts";
import { simplify } from "../optimize/simplify";
import { type Differentiated, differentiate, withBackward } from "./gradients";

/** A stage with its gradients. */
export interface TrainedStage extends Stage {
  readonly gradients: Differentiated;
}

export interface TrainedChain extends Omit<LearningChain, "stages"> {
  readonly stages: readonly TrainedStage[];
}

/** Frozen chains and the features stay as they are: nothing flows back through them. */
export interface TrainedModel extends Omit<OptimizedModel, "chains" | "loss" | "regularizer"> {
  readonly chains: readonly (FrozenChain | TrainedChain)[];
  readonly loss: Differentiated;
  readonly regularizer?: Regularizer<Differentiated>;
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

function trainedChain(chain: LearningChain, wantsFirstInput: boolean): TrainedChain {
  return {
    ...chain,
    stages: chain.stages.map((stage, i) => ({
      ...stage,
      gradients: gradientsOf(stage.graph, { input: i > 0 || wantsFirstInput }),
    })),
  };
}

/** Differentiates what is trained: every such chain by its weights, and by what it is given where that is of such a chain. */
export function trainedModel(model: OptimizedModel): TrainedModel {
  const isTrained = (name: string): boolean =>
    model.chains.some((chain) => chain.name === name && chain.kind === "trained");
  const { regularizer, ...rest } = model;
  return {
    ...rest,
    ...(regularizer && { regularizer: { of: regularizer.of, term: gradientsOf(regularizer.term, { input: true }) } }),
    chains: model.chains.map((chain) =>
      chain.kind === "frozen" ? chain : trainedChain(chain, isTrained(chain.input)),
    ),
    loss: gradientsOf(model.loss, { input: true }),
  };
}
