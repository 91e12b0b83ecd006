/** The contract of a graph, checked after every stage and pass: what breaks it is our mistake, never the user's. */
import { outputShapes } from "../../runtime/ops/adapter";
import { type Graph, parametersOf, type Value } from "./graph";
import { type Num, shapeText } from "./number";

function fail(graph: Graph, after: string, why: string): never {
  throw new Error(`internal: graph ${graph.name} after "${after}": ${why}`);
}

/** Every value is defined before use, once, under one name, with the shape that its op gives. */
export function verify(graph: Graph, after: string): Graph {
  const known = new Set<Value>([...graph.inputs, ...parametersOf(graph)]);
  const names = new Set<string>([...known].map((value) => value.name));
  for (const node of graph.nodes) {
    for (const value of node.inputs) {
      if (!known.has(value)) fail(graph, after, `${node.op} uses ${value.name} before it is made`);
    }
    const shapes = outputShapes<Num>(
      node.op,
      node.inputs.map((value) => value.shape),
      node.attrs,
    );
    node.outputs.forEach((value, i) => {
      if (names.has(value.name)) fail(graph, after, `two values are called ${value.name}`);
      const shape = shapes[i] ?? [];
      if (shapeText(shape) !== shapeText(value.shape)) {
        fail(graph, after, `${value.name} is ${shapeText(value.shape)}, but ${node.op} gives ${shapeText(shape)}`);
      }
      if (shape.some((num) => typeof num === "object" && num.kind === "expression")) {
        fail(graph, after, `${value.name} has an axis that is no size`);
      }
      names.add(value.name);
      known.add(value);
    });
  }
  for (const value of graph.outputs) if (!known.has(value)) fail(graph, after, `output ${value.name} is not made`);
  return graph;
}
