/** What happens to weights after the backward pass. */
import { count, type Op, perElement } from "./op";

const update = { why: "it belongs to the update, after the last gradient" };

export const globalNorm: Op<"globalNorm"> = {
  name: "globalNorm",
  tokenwise: null,
  doc: "out = √(Σ over all tensors and elements of x²)",
  flops: (inputs) => 2 * inputs.reduce((sum, shape) => sum + count(shape), 0),
  vjp: update,
};

export const clipFactor: Op<"clipFactor"> = {
  name: "clipFactor",
  tokenwise: null,
  doc: "out = min(1, max / (norm + 1e-6))",
  flops: perElement(3),
  vjp: update,
};

export const allReduce: Op<"allReduce"> = {
  name: "allReduce",
  tokenwise: null,
  doc: "out = mean of x over all devices",
  // What it costs is the way: of every number a device sends and receives 8 bytes where the sums are shared out evenly.
  flops: perElement(0),
  vjp: { why: "it takes gradients: nothing flows back through the mean over devices" },
};

export const shard: Op<"shard"> = {
  name: "shard",
  tokenwise: null,
  doc: "out = the part of x that this device keeps",
  flops: perElement(0),
  vjp: update,
};

export const allGather: Op<"allGather"> = {
  name: "allGather",
  tokenwise: null,
  doc: "out = the tensor of which each device has a shard",
  // As with allReduce the cost is the way: a device sends its shard to all others, and gets 4 bytes of every other number.
  flops: perElement(0),
  vjp: update,
};

export const adamw: Op<"adamw"> = {
  name: "adamw",
  tokenwise: null,
  doc: "m' = β1·m + (1−β1)·g; v' = β2·v + (1−β2)·g²; w' = w·decayFactor − stepSize · m' / (√v'·secondMoment + eps)",
  flops: perElement(14),
  vjp: update,
};

export const ema: Op<"ema"> = {
  name: "ema",
  tokenwise: null,
  doc: "out = keep·target + take·weight",
  flops: perElement(3),
  vjp: update,
};
