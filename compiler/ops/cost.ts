/** What nodes and graphs cost, by the formulas of their ops. */
import { formatBytes } from "../../runtime/ops/formats";
import type { Graph, Node, Value } from "../ir/graph";
import { type Sizes, sizeOf } from "../ir/number";
import { ops } from "./index";

export interface Cost {
  readonly flops: number;
  /** Bytes read and written if nothing is cached. */
  readonly bytes: number;
}

export function costOf({ op, inputs, outputs }: Node, sizes: Sizes): Cost {
  const sizesOf = ({ shape }: Value) => shape.map((num) => sizeOf(num, sizes));
  const bytesOf = (value: Value) => sizesOf(value).reduce((product, size) => product * size, formatBytes[value.dtype]);
  return {
    flops: ops[op].flops(inputs.map(sizesOf), outputs.map(sizesOf)),
    bytes: [...inputs, ...outputs].reduce((sum, value) => sum + bytesOf(value), 0),
  };
}

export function graphCost(graph: Graph, sizes: Sizes): Cost {
  return graph.nodes
    .map((node) => costOf(node, sizes))
    .reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), { flops: 0, bytes: 0 });
}

/** 1234567 → "1.23 MFLOP". */
export function flopsText(flops: number, digits = 3): string {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"];
  let value = flops;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(digits)} ${units[unit] ?? ""}`;
}
