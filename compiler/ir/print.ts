/** Graphs as text, one node per line: what reviewers read (graph.txt). */
import { ops } from "../ops";
import type { Cost } from "../ops/op";
import { type Graph, groupType, type Node, type Value } from "./graph";
import { nameOf, type Sizes, shapeText, sizeOf } from "./number";

function costOf(node: Node, sizes: Sizes): Cost {
  const numbers = (values: readonly Value[]) => values.map((value) => value.shape.map((num) => sizeOf(num, sizes)));
  return ops[node.op].cost(numbers(node.inputs), numbers(node.outputs));
}

export function graphCost(graph: Graph, sizes: Sizes): Cost {
  return graph.nodes
    .map((node) => costOf(node, sizes))
    .reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), { flops: 0, bytes: 0 });
}

function attrText(node: Node): string {
  const entries = Object.entries(node.attrs).map(
    ([name, value]) => `${name}=${typeof value === "boolean" ? value : nameOf(value).replaceAll(" ", "")}`,
  );
  return entries.length === 0 ? "" : `{${entries.join(" ")}} `;
}

/** 1234567 → "1.23 MFLOP". */
export function flopsText(flops: number): string {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"];
  let value = flops;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit] ?? ""}`;
}

export function printGraph(graph: Graph, sizes: Sizes): string {
  const lines = [
    `graph ${graph.name}`,
    ...graph.groups.map((group) => `  weights ${group.name}: ${groupType(group.type)} = ${group.path}`),
    ...graph.inputs.map((value) => `  input   ${value.name}: ${value.dtype}${shapeText(value.shape)}`),
    ...graph.nodes.map((node) => {
      const outputs = node.outputs.map((value) => `${value.name}: ${value.dtype}${shapeText(value.shape)}`).join(", ");
      const { flops } = costOf(node, sizes);
      const operands = node.inputs.map((value) => value.name).join(" ");
      return `  ${outputs} = ${node.op} ${attrText(node)}${operands}${flops === 0 ? "" : ` ; ${flopsText(flops)}`}`.trimEnd();
    }),
    `  output  ${graph.outputs.map((value) => value.name).join(", ")}`,
  ];
  return `${lines.join("\n")}\n`;
}
