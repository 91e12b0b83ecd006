/** The contract of a graph, checked after every stage and pass: what breaks it is our mistake, never the user's. */
import { outputFormat, outputShapes } from "../../runtime/ops/adapter";
import { FormatError } from "../../runtime/ops/formats";
import type { Dtype } from "../../runtime/ops/ops";
import { ShapeError } from "../../runtime/ops/signatures";
import { type Graph, type Node, parametersOf, type Value } from "./graph";
import { type Num, shapeText } from "./number";

/** Every value is defined before use, once, under one name, with the shape and number format that its op gives. */
export function verify(graph: Graph, after: string): Graph {
  const fail = (why: string): never => {
    throw new Error(`internal: graph ${graph.name} after "${after}": ${why}`);
  };
  const known = new Set<Value>();
  const names = new Set<string>();
  const define = (value: Value): void => {
    if (names.has(value.name)) fail(`two values are called ${value.name}`);
    names.add(value.name);
    known.add(value);
  };
  for (const value of [...graph.inputs, ...parametersOf(graph)]) define(value);
  for (const node of graph.nodes) {
    for (const value of node.inputs) if (!known.has(value)) fail(`${node.op} uses ${value.name} before it is made`);
    const shapes = shapesOf(node, fail);
    if (node.outputs.length !== shapes.length) {
      fail(`${node.op} gives ${shapes.length} values; found ${node.outputs.length}`);
    }
    const format = formatOf(node, fail);
    node.outputs.forEach((value, i) => {
      const shape = shapes[i] ?? [];
      if (shapeText(shape) !== shapeText(value.shape)) {
        fail(`${value.name} is ${shapeText(value.shape)}, but ${node.op} gives ${shapeText(shape)}`);
      }
      if (value.dtype !== format) {
        fail(`${value.name} is ${value.dtype}, but ${node.op} gives ${format}`);
      }
      if (shape.some((num) => typeof num === "object" && num.kind === "expression")) {
        fail(`${value.name} has an axis that is no size`);
      }
      define(value);
    });
  }
  for (const value of graph.outputs) if (!known.has(value)) fail(`output ${value.name} is not made`);
  return graph;
}

function shapesOf({ op, inputs, attrs }: Node, fail: (why: string) => never): readonly (readonly Num[])[] {
  try {
    return outputShapes<Num>(
      op,
      inputs.map((value) => value.shape),
      attrs,
    );
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return fail(error.message.replace("internal: ", ""));
  }
}

function formatOf({ op, inputs }: Node, fail: (why: string) => never): Dtype {
  try {
    return outputFormat(
      op,
      inputs.map((value) => value.dtype),
    );
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return fail(error.message.replace("internal: ", ""));
  }
}
