/**
 * The mean over devices, shards, AdamW and the moving average. Where devices meet is a cut: what they meet over is a result
 * of one graph, what comes of it an input of the next (cut.ts). The others are noted down while the step is recorded and written at its end (updates.ts),
 * because small tensors are updated together.
 */
import { blockOf } from "../../../ranks/communicator";
import { shardLength } from "../../../step/shards";
import type { KernelTable } from "../../table";
import type { Node, Value } from "../graph";
import type { Handle, Recorder } from "../recorder";

/** Ops that only stand for an update; they never reach the model. */
export const NOTED_ADAMW = "noted:adamw";
export const NOTED_EMA = "noted:ema";

export const updateLowerings: KernelTable<
  Recorder,
  Handle,
  Value,
  "allReduce" | "shard" | "allGather" | "adamw" | "ema"
> = {
  allReduce: (r, [x]) => r.reduced(r.full(x)),
  shard: (r, [x], { length }) => {
    const elements = x.shape.reduce((product, size) => product * size, 1);
    if (length !== shardLength(elements, r.place.size)) {
      throw new Error(`internal: a shard of ${length} of ${elements} numbers, on ${r.place.size} devices`);
    }
    const flat = r.reshape(x.value, [elements]);
    if (r.place.size === 1) return flat;
    const { start, end } = blockOf(elements, r.place);
    const zeros = r.graph.constant(new Float32Array(length - (end - start)), [length - (end - start)]);
    if (end === start) return zeros;
    const bounds = [[start], [end], [0]].map((ints) => r.graph.ints(ints));
    const own = r.graph.one("Slice", [flat, ...bounds], [end - start]);
    return end - start === length ? own : r.graph.one("Concat", [own, zeros], [length], { axis: { int: 0 } });
  },
  allGather: (r, [shard, like]) => {
    const dims = r.dims(like.shape);
    return r.place.size === 1 ? r.reshape(shard.value, dims) : r.gathered(r.full(shard), dims);
  },
  adamw: (r, inputs, { beta1, beta2, eps, decay }) => {
    const [weight] = inputs;
    const dims = r.dims(weight.shape);
    return r.graph.node({
      op: NOTED_ADAMW,
      inputs: inputs.map((input) => r.full(input)),
      attributes: {
        beta1: { float: beta1 },
        beta2: { float: beta2 },
        eps: { float: eps },
        decay: { int: decay ? 1 : 0 },
      },
      outputs: [{ dims }, { dims }, { dims }],
    });
  },
  ema: (r, inputs) =>
    r.graph.one(
      NOTED_EMA,
      inputs.map((input) => r.full(input)),
      r.dims(inputs[0].shape),
    ),
};

export interface AdamwParts {
  readonly weight: Value;
  readonly gradient: Value;
  readonly m: Value;
  readonly v: Value;
  readonly stepSize: Value;
  readonly secondMoment: Value;
  readonly decayFactor: Value;
}

function numberOf(node: Node, name: string): number {
  const attribute = node.attributes[name];
  if (attribute === undefined) throw new Error(`internal: ${node.op} has no ${name}`);
  if ("float" in attribute) return attribute.float;
  if ("int" in attribute) return attribute.int;
  throw new Error(`internal: ${name} of ${node.op} is not a number`);
}

/**
 * reference.md §7, with the scalars taken together first: √v'·s + eps = s·(√v' + eps/s), so one product over the whole
 * tensor is saved.
 */
export function writeAdamw(r: Recorder, node: Node, parts: AdamwParts): [weight: Value, m: Value, v: Value] {
  const beta1 = numberOf(node, "beta1");
  const beta2 = numberOf(node, "beta2");
  const { weight, gradient, secondMoment, stepSize } = parts;
  // (1 − β1)·g once for both moments: it goes into the product that makes the gradient (peephole.ts).
  const share = r.times(gradient, 1 - beta1);
  const m = r.add(r.times(parts.m, beta1), share);
  const v = r.add(r.times(parts.v, beta2), r.times(r.mul(share, share), (1 - beta2) / (1 - beta1) ** 2));
  const eps = r.div(r.graph.scalar(numberOf(node, "eps")), secondMoment);
  const change = r.mul(r.div(m, r.add(r.unary("Sqrt", v), eps)), r.div(stepSize, secondMoment));
  const kept = numberOf(node, "decay") === 1 ? r.mul(weight, parts.decayFactor) : weight;
  return [r.sub(kept, change), m, v];
}

export function writeEma(r: Recorder, target: Value, weight: Value, keep: Value, take: Value): Value {
  return r.add(r.mul(target, keep), r.mul(weight, take));
}
