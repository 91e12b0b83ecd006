/**
 * Computes what is the same for all copies once: `f(tile(x))` becomes `tile(f(x))`, and `f(concat(a, b))` becomes
 * `concat(f(a), f(b))` for layers that treat tokens alone. Exact; saves the context half of the norm and of query, key
 * and value in the predictor's first block, which every target block shares.
 */
import type { OpName } from "../../runtime/ops/ops";
import { type Graph, type Node, replaceValues, type Value, withNodes } from "../ir/graph";
import { ops } from "../ops";
import { newNode, producersOf, removeDead, settleNames } from "./rewrite";

/** Whether the op has one input with tokens and does the same to the tokens of every image. */
function isSameForAllImages(op: OpName): boolean {
  const { tokenwise } = ops[op];
  return tokenwise?.inputs === 1 && tokenwise.others === "of all images";
}

/** One rewrite, or undefined where there is nothing left to move. */
function step(graph: Graph, seen: Set<Node>): Graph | undefined {
  const producers = producersOf(graph);
  for (const [at, node] of graph.nodes.entries()) {
    const [x, ...weights] = node.inputs;
    const [output] = node.outputs;
    const maker = x === undefined ? undefined : producers.get(x);
    if (!isSameForAllImages(node.op) || seen.has(node) || maker === undefined || output === undefined) continue;
    const added: Node[] = [];
    const emit = (op: OpName, inputs: readonly Value[], attrs: Node["attrs"], name: string): Value => {
      const { node: made, value } = newNode(op, inputs, attrs, name);
      added.push(made);
      return value;
    };
    const [first, second] = maker.inputs;
    let result: Value | undefined;
    if (
      maker.op === "concatTokens" &&
      first !== undefined &&
      second !== undefined &&
      producers.get(first)?.op === "tileBatch"
    ) {
      const a = emit(node.op, [first, ...weights], node.attrs, `${output.name}OfContext`);
      const b = emit(node.op, [second, ...weights], node.attrs, `${output.name}OfMasks`);
      result = emit("concatTokens", [a, b], maker.attrs, output.name);
    } else if (maker.op === "tileBatch" && first !== undefined) {
      result = emit(
        "tileBatch",
        [emit(node.op, [first, ...weights], node.attrs, `${output.name}Once`)],
        maker.attrs,
        output.name,
      );
    }
    if (result === undefined) {
      seen.add(node);
      continue;
    }
    const nodes = [...graph.nodes.slice(0, at), ...added, ...graph.nodes.slice(at + 1)];
    return replaceValues(withNodes(graph, nodes), new Map([[output, result]]));
  }
  return undefined;
}

export function shareTiles(graph: Graph): Graph {
  const tiles = graph.nodes.filter((node) => node.op === "tileBatch" && node.attrs.copies !== 1);
  if (tiles.length === 0) return graph;
  let current = graph;
  const seen = new Set<Node>();
  for (let next = step(current, seen); next !== undefined; next = step(current, seen)) current = next;
  return current === graph ? graph : settleNames(removeDead(current));
}
