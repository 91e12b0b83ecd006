/**
 * The mean where each device reads its shards alone: half of the reduction is left out, that which would bring the means of all
 * shards to all. For every bucket the shards of each device are laid side by side, travel there, and the mean of this device's
 * goes back to where the next graph reads it; what lies beside it is read by nobody.
 */
import { blockOf } from "../../ranks/communicator";
import { shardLength } from "../../step/shards";
import type { Reducer } from "../engine";
import type { Buckets } from "./buckets";
import type { Node, Value } from "./graph";

/** Whether these nodes read no more of the values than the shards of this device. `shards` are the nodes that cut them out. */
export function readsShardsAlone(
  nodes: readonly Node[],
  values: readonly Value[],
  shards: ReadonlySet<Value>,
): boolean {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) if (input !== null) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const isShard = (node: Node): boolean => node.outputs.some((value) => shards.has(value));
  const reads = (value: Value): boolean =>
    (readers.get(value) ?? []).every((node) => isShard(node) || (node.op === "Reshape" && node.outputs.every(reads)));
  return values.every(reads);
}

export function scatteredMean(buckets: Buckets, reducer: Reducer): () => Promise<void> {
  const { rank, size } = reducer;
  const widths = buckets.tensors.map((tensors) =>
    tensors.reduce((sum, { length }) => sum + shardLength(length, size), 0),
  );
  const scratch = new Float32Array(size * Math.max(0, ...widths));
  return async () => {
    for (const [i, tensors] of buckets.tensors.entries()) {
      const width = widths[i] ?? 0;
      const rows = scratch.subarray(0, size * width);
      let at = 0;
      for (const tensor of tensors) {
        for (let of = 0; of < size; of++) {
          const { start, end } = blockOf(tensor.length, { rank: of, size });
          rows.set(tensor.subarray(start, end), of * width + at);
        }
        at += shardLength(tensor.length, size);
      }
      await reducer.reduceScatterMean(rows);
      at = rank * width;
      for (const tensor of tensors) {
        const { start, end } = blockOf(tensor.length, { rank, size });
        tensor.set(rows.subarray(at, at + end - start), start);
        at += shardLength(tensor.length, size);
      }
    }
  };
}
