/** What happens to weights after the backward pass. */
import { elementwise, input, type Signatures, same } from "./signature";

export const update = {
  globalNorm: { inputs: "many", outputs: 1, shapes: () => [[]] },
  clipFactor: { inputs: 1, outputs: 1, shapes: (inputs) => [input("clipFactor", inputs, 0, 0)] },
  allReduce: elementwise("allReduce", 1),
  shard: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { length }) => {
      input("shard", inputs, 0);
      return [[length]];
    },
  },
  allGather: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      input("allGather", inputs, 0, 1);
      return [input("allGather", inputs, 1)];
    },
  },
  adamw: {
    inputs: 7,
    outputs: 3,
    shapes: (inputs) => {
      const weight = input("adamw", inputs, 0);
      for (let i = 1; i < 4; i++) same("adamw", inputs, weight, input("adamw", inputs, i, weight.length));
      for (let i = 4; i < 7; i++) input("adamw", inputs, i, 0);
      return [weight, weight, weight];
    },
  },
  ema: {
    inputs: 4,
    outputs: 1,
    shapes: (inputs) => {
      const target = input("ema", inputs, 0);
      same("ema", inputs, target, input("ema", inputs, 1, target.length));
      for (let i = 2; i < 4; i++) input("ema", inputs, i, 0);
      return [target];
    },
  },
} satisfies Signatures;
