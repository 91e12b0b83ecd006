/** Tools that passes share: who makes a value, what is dead, how two graphs become one. */

import { outputFormat, outputShapes } from "../../runtime/ops/adapter";
import type { OpName } from "../../runtime/ops/ops";
import { type Graph, GraphBuilder, type IrAttrs, type Node, type Value, withNodes } from "../ir/graph";
import type { Num } from "../ir/number";

export type Producers = ReadonlyMap<Value, Node>;

export function producersOf(graph: Graph): Producers {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((value): [Value, Node] => [value, node])));
}

/** Nodes that nothing reads go; values keep their names. */
export function removeDead(graph: Graph): Graph {
  const alive = new Set(graph.outputs);
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((value) => alive.has(value))) continue;
    kept.unshift(node);
    for (const value of node.inputs) alive.add(value);
  }
  return withNodes(graph, kept);
}

/** A new node with one output; its name is made unique when the pass ends (see settleNames). */
export function newNode(
  op: OpName,
  inputs: readonly Value[],
  attrs: IrAttrs,
  name: string,
): { readonly node: Node; readonly value: Value } {
  const [shape = []] = outputShapes<Num>(
    op,
    inputs.map((value) => value.shape),
    attrs,
  );
  const dtype = outputFormat(
    op,
    inputs.map((value) => value.dtype),
  );
  const value: Value = { name, dtype, shape };
  return { node: { op, inputs, attrs, outputs: [value] }, value };
}

/** Where the values of an old graph are in a new one; values outside, such as weights, stay where they are. */
class Moves {
  private readonly moved = new Map<Value, Value>();

  readonly now = (value: Value): Value => this.moved.get(value) ?? value;

  set(from: Value, to: Value): void {
    this.moved.set(from, to);
  }

  /** Copies every node of a graph to the end of the one being built. */
  append(builder: GraphBuilder, graph: Graph): void {
    for (const node of graph.nodes) {
      const made = builder.copy(
        node,
        node.inputs.map(this.now),
        node.outputs.map((value) => value.name),
      );
      node.outputs.forEach((value, i) => {
        const fresh = made[i];
        if (fresh !== undefined) this.set(value, fresh);
      });
    }
  }
}

/** Gives every value a name of its own, in order; the first to ask for a name gets it. */
export function settleNames(graph: Graph): Graph {
  const builder = new GraphBuilder(graph.name, graph.doc);
  const moves = new Moves();
  for (const group of graph.groups) builder.group(group);
  for (const value of graph.inputs) moves.set(value, builder.take(value));
  moves.append(builder, graph);
  return builder.finish(graph.outputs.map(moves.now));
}

/** One graph that runs `first` and hands its output to the first input of `second`. */
export function compose(first: Graph, second: Graph, name: string, doc: string): Graph {
  const builder = new GraphBuilder(name, doc);
  const moves = new Moves();
  for (const group of [...first.groups, ...second.groups]) builder.group(group);
  const byName = new Map<string, Value>();
  const take = (value: Value) => {
    const known = byName.get(value.name) ?? builder.take(value);
    byName.set(value.name, known);
    moves.set(value, known);
  };
  for (const value of first.inputs) take(value);
  const [handed, ...others] = second.inputs;
  for (const value of others) take(value);
  moves.append(builder, first);
  const [output] = first.outputs;
  if (handed === undefined || output === undefined)
    throw new Error(`internal: ${first.name} and ${second.name} do not meet`);
  moves.set(handed, moves.now(output));
  moves.append(builder, second);
  return builder.finish(second.outputs.map(moves.now));
}
