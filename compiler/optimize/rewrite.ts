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

/**
 * One graph that runs `first` and hands its output to the first input of `second`; its last one to the input called
 * `beside`, where there is such a name (ir/stage.ts).
 */
export function compose(
  first: Graph,
  second: Graph,
  { name, doc, beside }: { readonly name: string; readonly doc: string; readonly beside?: string | undefined },
): Graph {
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
  const isBeside = (value: Value): boolean => value.leaf === undefined && value.name === beside;
  const given = second.inputs.filter((value) => !isBeside(value) && value.leaf === undefined);
  const meets = new Map<Value, Value | undefined>([
    ...given.map((value) => [value, first.outputs[0]] as const),
    ...second.inputs.filter(isBeside).map((value) => [value, first.outputs.at(-1)] as const),
  ]);
  for (const value of second.inputs) if (!meets.has(value)) take(value);
  moves.append(builder, first);
  for (const [handed, output] of meets) {
    if (output === undefined) throw new Error(`internal: ${first.name} gives nothing to ${second.name}`);
    moves.set(handed, moves.now(output));
  }
  if (meets.size === 0) throw new Error(`internal: ${first.name} and ${second.name} do not meet`);
  moves.append(builder, second);
  return builder.finish(second.outputs.map(moves.now));
}
