/**
 * The passes on the forward graphs, in order. They run before differentiation, so that the backward pass gets every
 * saving for free. The verifier looks at every graph after every pass.
 */
import type { OperandFormat } from "../../runtime/ops/ops";
import type { Graph } from "../ir/graph";
import { sizeOf } from "../ir/number";
import type { Chain } from "../ir/stage";
import { verify } from "../ir/verify";
import type { ChainEnds, Model } from "../model/model";
import { graphCost } from "../ops/cost";
import { castOperands } from "./bfloat16";
import { fuseEnds } from "./fuse-ends";
import type { OptimizedModel, PassFact, PassName } from "./pass-facts";
import { removeDead } from "./rewrite";
import { selectEarly } from "./select-early";
import { shareTiles } from "./share-tiles";
import { simplify } from "./simplify";

export interface GraphPass {
  readonly name: PassName;
  readonly why: string;
  /** What it has changed of what the paper says: a sentence for the function in which it did. */
  readonly tells?: string;
  readonly run: (graph: Graph) => Graph;
}

const passes: readonly GraphPass[] = [
  {
    name: "select tokens early",
    why: "the last blocks only need the tokens that the loss reads",
    tells: "Tokens are chosen before the work instead of after it: only those that are read afterwards are computed.",
    run: selectEarly,
  },
  {
    name: "share tiles",
    why: "the context is the same for every target block",
    tells:
      "The context is the same for every target block: what is made of it alone, `…OfContextOnce`, is computed once.",
    run: shareTiles,
  },
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

export function optimize(model: Model): OptimizedModel {
  const { dims, operands } = model;
  const all = [...passes, ...formatPasses[operands]];
  const facts: PassFact[] = [];
  const costOf = (graph: Graph): number => graphCost(graph, {}).flops / sizeOf(dims.images);

  const optimizedGraph = (graph: Graph, chain: PassFact["chain"]): Graph =>
    all.reduce(
      (current, { name, why, tells, run }) => {
        const next = verify(run(current), name);
        if (!isSame(current, next)) {
          const cost = { flopsBefore: costOf(current), flopsAfter: costOf(next) };
          facts.push({
            pass: name,
            chain,
            applied: true,
            function: graph.name,
            from: [graph.name],
            because: why,
            ...cost,
          });
        }
        return tells === undefined || isSame(current, next) ? next : { ...next, doc: `${next.doc} ${tells}` };
      },
      verify(graph, "model"),
    );
  const optimizedChain = <C extends Chain>(chain: C): C => ({
    ...chain,
    stages: chain.stages.map((stage) => ({ ...stage, graph: optimizedGraph(stage.graph, chain.name) })),
  });
  /** With a fact about every stage that it joins, or would join if it might. */
  const fused = <C extends Chain>(chain: C, { may, because, ...ends }: ChainEnds): C => {
    const next = fuseEnds(chain, ends);
    for (const { graph, joined } of next.stages) {
      if (joined === undefined) continue;
      const cost = { flopsBefore: costOf(graph), flopsAfter: costOf(graph) };
      const names = { function: graph.name, from: joined };
      facts.push({ pass: "fuse ends", chain: chain.name, applied: may, ...names, because, ...cost });
    }
    return may ? next : chain;
  };

  const optimized = {
    images: optimizedChain(model.images),
    chains: model.chains.map((chain) => optimizedChain(chain.ends === undefined ? chain : fused(chain, chain.ends))),
    loss: optimizedGraph(model.loss, "loss"),
    ...(model.regularizer && {
      regularizer: { ...model.regularizer, term: optimizedGraph(model.regularizer.term, "loss") },
    }),
    features: optimizedChain(model.features),
  };
  return { ...model, ...optimized, passes: facts };
}

/** A pass that found nothing to do keeps every node. */
function isSame(a: Graph, b: Graph): boolean {
  return a.nodes.length === b.nodes.length && a.nodes.every((node, i) => node === b.nodes[i]);
}
