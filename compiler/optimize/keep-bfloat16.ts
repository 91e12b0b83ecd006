/**
 * What a forward pass in bfloat16 keeps for its backward pass: no float32 beside the bfloat16 of the same value, and no
 * copies of weights. A backward graph that reads a cast weight casts the weight once more, which costs no memory; one that
 * reads a value in both formats reads the bfloat16 for both. That is so for the weights of attention: its gradient
 * multiplies with them as its product did, rounded, and sums in float32.
 */
import { type Graph, type Node, parametersOf, replaceValues, type Value, withNodes } from "../ir/graph";
import { newNode } from "./rewrite";

/** A value that a backward graph makes for itself instead of reading what its forward graph kept. */
interface Remade {
  readonly from: Value;
  readonly node: Node;
  readonly value: Value;
}

function remadeOf(forward: Graph, reads: ReadonlySet<Value>): readonly Remade[] {
  const weights = new Set(parametersOf(forward));
  return forward.nodes.flatMap(({ op, inputs: [from], outputs: [cast] }): readonly Remade[] => {
    if (op !== "toBf16" || from === undefined || cast === undefined || !reads.has(cast)) return [];
    // under the names of the forward graph, which no other value of its backward graph has
    if (weights.has(from)) return [{ from: cast, ...newNode(op, [from], {}, cast.name) }];
    return reads.has(from) ? [{ from, ...newNode("toF32", [cast], {}, from.name) }] : [];
  });
}

/** The backward graph that reads less of its forward graph; each remade value comes before its first reader. */
export function keepBfloat16(forward: Graph, backward: Graph): Graph {
  const reads = new Set(backward.nodes.flatMap(({ inputs }) => inputs));
  const remade = remadeOf(forward, reads);
  if (remade.length === 0) return backward;
  const waiting = new Map(remade.map((each) => [each.from, each]));
  const nodes = backward.nodes.flatMap((node) => {
    const first = [...new Set(node.inputs)].flatMap((value) => waiting.get(value) ?? []);
    for (const { from } of first) waiting.delete(from);
    return [...first.map((each) => each.node), node];
  });
  // All groups of the forward graph: a weight may be read again.
  const graph = withNodes({ ...backward, groups: forward.groups }, nodes);
  return replaceValues(graph, new Map(remade.map(({ from, value }) => [from, value])));
}
