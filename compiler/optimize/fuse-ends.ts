/**
 * Takes the first and last block of a network out of their loop and joins them with the layers before and after, so
 * that other passes can look across. A chain goes in, a chain goes out.
 */
import type { Chain, Ends, Stage } from "../ir/stage";
import { compose } from "./rewrite";

const namesOf = ({ joined, graph }: Stage): readonly string[] => joined ?? [graph.name];

function joined(before: Stage, after: Stage, name: string): Stage {
  const blocks = before.blocks ?? after.blocks;
  return {
    graph: compose(before.graph, after.graph, {
      name,
      doc: `${before.graph.doc} ${after.graph.doc}`,
      beside: before.beside,
    }),
    repeated: false,
    ...(after.beside !== undefined && { beside: after.beside }),
    joined: [...namesOf(before), ...namesOf(after)],
    ...(blocks === undefined ? {} : { blocks }),
  };
}

export function fuseEnds<C extends Chain>(chain: C, ends: Ends): C {
  // Of several loops, each end has its own.
  const at =
    ends.first === undefined
      ? chain.stages.findLastIndex((stage) => stage.repeated)
      : chain.stages.findIndex((stage) => stage.repeated);
  const loop = chain.stages[at];
  const before = chain.stages[at - 1];
  const after = chain.stages[at + 1];
  if (loop?.blocks === undefined || before === undefined || after === undefined) return chain;
  const { network, from, to } = loop.blocks;
  const one = (block: number): Stage => ({
    graph: loop.graph,
    repeated: false,
    blocks: { network, from: block, to: block + 1 },
    ...(loop.beside !== undefined && { beside: loop.beside }),
  });

  if (to - from === 1 && ends.first !== undefined && ends.last !== undefined) {
    const only = joined(joined(before, one(from), ends.first), after, ends.last);
    return { ...chain, stages: [...chain.stages.slice(0, at - 1), only, ...chain.stages.slice(at + 2)] };
  }
  const head = ends.first === undefined ? [before] : [joined(before, one(from), ends.first)];
  const tail = ends.last === undefined ? [after] : [joined(one(to - 1), after, ends.last)];
  const middle = {
    network,
    from: ends.first === undefined ? from : from + 1,
    to: ends.last === undefined ? to : to - 1,
  };
  const rest: readonly Stage[] = middle.from < middle.to ? [{ ...loop, blocks: middle }] : [];
  return {
    ...chain,
    stages: [...chain.stages.slice(0, at - 1), ...head, ...rest, ...tail, ...chain.stages.slice(at + 2)],
  };
}
