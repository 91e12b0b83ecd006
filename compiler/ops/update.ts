/** What happens to weights after the backward pass. */
import { count, type Op, perElement } from "./op";

const update = { why: "it belongs to the update, after the last gradient" };

export const globalNorm: Op<"globalNorm"> = {
  name: "globalNorm",
  doc: "out = √(Σ over all tensors and elements of x²)",
  cost: (inputs) => {
    const elements = inputs.reduce((sum, shape) => sum + count(shape), 0);
    return { flops: 2 * elements, bytes: 4 * elements };
  },
  vjp: update,
};

export const clipFactor: Op<"clipFactor"> = {
  name: "clipFactor",
  doc: "out = min(1, max / (norm + 1e-6))",
  cost: perElement(3),
  vjp: update,
};

export const allReduce: Op<"allReduce"> = {
  name: "allReduce",
  doc: "out = mean of x over all devices",
  // What each device sends and receives in a reduction that is spread evenly, for many devices.
  cost: ([x = []]) => ({ flops: count(x), bytes: 4 * 2 * count(x) }),
  vjp: { why: "it takes gradients: nothing flows back through the mean over devices" },
};

export const adamw: Op<"adamw"> = {
  name: "adamw",
  doc: "m' = β1·m + (1−β1)·g; v' = β2·v + (1−β2)·g²; w' = w·decayFactor − stepSize · m' / (√v'·secondMoment + eps)",
  cost: perElement(12),
  vjp: update,
};

export const ema: Op<"ema"> = {
  name: "ema",
  doc: "out = keep·target + take·weight",
  cost: perElement(3),
  vjp: update,
};
