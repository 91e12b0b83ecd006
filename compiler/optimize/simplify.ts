/** Drops work that changes nothing, and work that is done twice. */
import { type Graph, type Node, replaceValues, type Value } from "../ir/graph";
import { nameOf } from "../ir/number";
import { producersOf, removeDead } from "./rewrite";

/** x · 1 is x: the backward pass begins with a gradient of 1. */
function dropUnits(graph: Graph): Map<Value, Value> {
  const producers = producersOf(graph);
  const by = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const [x, factor] = node.inputs;
    const [output] = node.outputs;
    if (x === undefined || output === undefined) continue;
    const byOne = node.op === "scaleBy" && factor !== undefined && producers.get(factor)?.op === "one";
    if (
      byOne ||
      (node.op === "scale" && node.attrs.by === 1) ||
      (node.op === "tileBatch" && node.attrs.copies === 1 && x.shape[0] === output.shape[0])
    ) {
      by.set(output, x);
    }
  }
  return by;
}

/** Nodes with the same op, inputs and attributes as an earlier one. */
function findRepeats(graph: Graph): Map<Value, Value> {
  const ids = new Map<Value, number>();
  const idOf = (value: Value): number => {
    const known = ids.get(value);
    if (known !== undefined) return known;
    ids.set(value, ids.size);
    return ids.size - 1;
  };
  const firsts = new Map<string, Node>();
  const by = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const attrs = Object.entries(node.attrs).map(
      ([name, value]) => `${name}=${typeof value === "boolean" ? value : nameOf(value)}`,
    );
    const key = [node.op, ...node.inputs.map((value) => idOf(by.get(value) ?? value)), ...attrs].join(" ");
    const first = firsts.get(key);
    if (first === undefined) {
      firsts.set(key, node);
      continue;
    }
    node.outputs.forEach((value, i) => {
      const known = first.outputs[i];
      if (known !== undefined) by.set(value, known);
    });
  }
  return by;
}

/** Where each value of the old graph is in the new one. */
export interface Rewritten {
  readonly graph: Graph;
  readonly moved: (value: Value) => Value;
}

/** Both rewrites until nothing changes, then what is dead goes. */
export function simplify(graph: Graph): Rewritten {
  let current = graph;
  const all = new Map<Value, Value>();
  for (;;) {
    const by = new Map([...dropUnits(current), ...findRepeats(current)]);
    const left = [...by.keys()].some(
      (value) => current.nodes.some((node) => node.inputs.includes(value)) || current.outputs.includes(value),
    );
    if (!left) break;
    for (const [from, to] of by) all.set(from, to);
    current = replaceValues(current, by);
  }
  const moved = (value: Value): Value => {
    let found = value;
    for (let next = all.get(found); next !== undefined; next = all.get(found)) found = next;
    return found;
  };
  return { graph: removeDead(current), moved };
}
