/**
 * The passes on the forward graphs, in order. They run before differentiation, so that the backward pass gets every
 * saving for free. The verifier looks at every graph after every pass.
 */
import type { OperandFormat } from "../../runtime/ops/ops";
import type { Graph } from "../ir/graph";
import { sizeOf } from "../ir/number";
import type { Chain } from "../ir/stage";
import { verify } from "../ir/verify";
import type { Model } from "../model/chains";
import { castOperands } from "./bfloat16";
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

const passes: readonly GraphPass[] = [
  { name: "select tokens early", why: "the last blocks only need the tokens that the loss reads", run: selectEarly },
  { name: "share tiles", why: "the context is the same for every target block", run: shareTiles },
  { name: "simplify", why: "units and repeats", run: (graph) => simplify(graph).graph },
  { name: "remove dead", why: "passes leave what they replaced", run: removeDead },
];

/** After them, by the number format of products' operands. */
const formatPasses: { readonly [T in OperandFormat]: readonly GraphPass[] } = {
  f32: [],
  bf16: [
    { name: "cast operands", why: "products of bfloat16 are faster, and half is kept of them", run: castOperands },
  ],
};

export function optimise(model: Model): Model {
  const { dims, operands } = model;
  const optimisedGraph = (graph: Graph): Graph => {
    verify(graph, "model");
    const all = [...passes, ...formatPasses[operands]];
    return all.reduce((current, pass) => verify(pass.run(current), pass.name), graph);
  };
  const optimisedChain = (chain: Chain): Chain => {
    return { ...chain, stages: chain.stages.map((stage) => ({ ...stage, graph: optimisedGraph(stage.graph) })) };
  };
  // Reading only the targets' patches saves work where they are fewer than all patches.
  const targetsAreFew = sizeOf(dims.allTargets) < sizeOf(dims.patches);
  const target = targetsAreFew ? fuseEnds(model.target, { last: "targetLastBlock" }) : model.target;
  const predictor = fuseEnds(model.predictor, { first: "predictorFirstBlock", last: "predictorLastBlock" });
  return {
    ...model,
    target: optimisedChain(target),
    context: optimisedChain(model.context),
    predictor: optimisedChain(predictor),
    loss: optimisedGraph(model.loss),
    features: optimisedChain(model.features),
  };
}
