/** What nodes and graphs cost, by the formulas of their ops. */
import type { Graph, Node, Value } from "../ir/graph";
import { type Sizes, sizeOf } from "../ir/number";
import { ops } from "./index";
import type { Cost } from "./op";

export function costOf(node: Node, sizes: Sizes): Cost {
  const numbers = (values: readonly Value[]) => values.map((value) => value.shape.map((num) => sizeOf(num, sizes)));
  return ops[node.op].cost(numbers(node.inputs), numbers(node.outputs));
}

export function graphCost(graph: Graph, sizes: Sizes): Cost {
  return graph.nodes
    .map((node) => costOf(node, sizes))
    .reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), { flops: 0, bytes: 0 });
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
