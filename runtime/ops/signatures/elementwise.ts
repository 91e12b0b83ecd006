/** Sums and scales. No axis is broadcast but where an op says so. */
import { elementwise, input, type Signatures, same, withVectors } from "./signature";

export const sums = {
  add: elementwise("add", 2),
  addVector: withVectors("addVector", 1),
  addTable: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      const x = input("addTable", inputs, 0, 3);
      same("addTable", inputs, x.slice(1), input("addTable", inputs, 1, 2));
      return [x];
    },
  },
  sumBatch: { inputs: 1, outputs: 1, shapes: (inputs) => [input("sumBatch", inputs, 0, 3).slice(1)] },
  scale: elementwise("scale", 1),
  scaleBy: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      input("scaleBy", inputs, 1, 0);
      return [input("scaleBy", inputs, 0)];
    },
  },
  scaleRows: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      const x = input("scaleRows", inputs, 0, -1);
      same("scaleRows", inputs, x.slice(0, 1), input("scaleRows", inputs, 1, 1));
      return [x];
    },
  },
  one: { inputs: 0, outputs: 1, shapes: () => [[]] },
} satisfies Signatures;
