/**
 * The passes, in order. Those on chains and forward graphs run before differentiation, so that the backward pass gets
 * every saving for free; the others run on backward graphs. The verifier looks at every graph after every pass.
 */
import { type Differentiated, differentiate, withBackward } from "../autodiff/gradients";
import type { Graph } from "../ir/graph";
import { sizeOf } from "../ir/number";
import type { Chain, Stage } from "../ir/stage";
import { verify } from "../ir/verify";
import type { Model } from "../model/chains";
import type { Dims } from "../model/dims";
import { fuseEnds } from "./fuse-ends";
import { removeDead } from "./rewrite";
import { selectEarly } from "./select-early";
import { shareTiles } from "./share-tiles";
import { simplify } from "./simplify";

export interface GraphPass {
  readonly name: string;
  readonly why: string;
  readonly run: (graph: Graph) => Graph;
}

/** On the forward graphs, before they are differentiated. */
const forwardPasses: readonly GraphPass[] = [
  { name: "select tokens early", why: "the last blocks only need the tokens that the loss reads", run: selectEarly },
  { name: "share tiles", why: "the context is the same for every target block", run: shareTiles },
  { name: "simplify", why: "units and repeats", run: (graph) => simplify(graph).graph },
  { name: "remove dead", why: "passes leave what they replaced", run: removeDead },
];

/** A stage with its gradients. */
export interface TrainedStage extends Stage {
  readonly gradients: Differentiated;
}

export interface TrainedChain extends Omit<Chain, "stages"> {
  readonly stages: readonly TrainedStage[];
}

/** The model as it is emitted. */
export interface Program {
  readonly dims: Dims;
  readonly target: Chain;
  readonly context: TrainedChain;
  readonly predictor: TrainedChain;
  readonly loss: Differentiated;
  readonly features: Chain;
}

function optimised(graph: Graph): Graph {
  verify(graph, "model");
  return forwardPasses.reduce((current, pass) => verify(pass.run(current), pass.name), graph);
}

function optimisedChain(chain: Chain): Chain {
  return { ...chain, stages: chain.stages.map((stage) => ({ ...stage, graph: optimised(stage.graph) })) };
}

function gradientsOf(graph: Graph, wants: { readonly input: boolean }): Differentiated {
  const raw = differentiate(graph, wants);
  verify(raw.backward, "autodiff");
  const { graph: backward, moved } = simplify(raw.backward);
  const simple = withBackward(raw, backward, moved);
  verify(simple.backward, "simplify");
  return simple;
}

function trained(chain: Chain, wantsFirstInput: boolean): TrainedChain {
  return {
    ...chain,
    stages: chain.stages.map((stage, i) => ({
      ...stage,
      gradients: gradientsOf(stage.graph, { input: i > 0 || wantsFirstInput }),
    })),
  };
}

export function optimise(model: Model): Program {
  const { dims } = model;
  // Reading only the targets' patches saves work where they are fewer than all patches.
  const targetsAreFew = sizeOf(dims.allTargets) < sizeOf(dims.patches);
  const target = targetsAreFew ? fuseEnds(model.target, { last: "targetLastBlock" }) : model.target;
  const predictor = fuseEnds(model.predictor, { first: "predictorFirstBlock", last: "predictorLastBlock" });
  return {
    dims,
    target: optimisedChain(target),
    context: trained(optimisedChain(model.context), false),
    predictor: trained(optimisedChain(predictor), true),
    loss: gradientsOf(optimised(model.loss), { input: true }),
    features: optimisedChain(model.features),
  };
}
