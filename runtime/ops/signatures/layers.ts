/** Linear layers, norms and GELU. */
import { operands } from "../formats";
import { elementwise, input, type Signatures, same, withVectors } from "./signature";

export const layers = {
  linear: {
    inputs: 3,
    outputs: 1,
    formats: operands,
    shapes: (inputs) => {
      const x = input("linear", inputs, 0, -1);
      const weight = input("linear", inputs, 1, 2);
      same("linear", inputs, x.slice(-1), weight.slice(0, 1));
      same("linear", inputs, weight.slice(1), input("linear", inputs, 2, 1));
      return [[...x.slice(0, -1), ...weight.slice(1)]];
    },
  },
  linearGradInput: {
    inputs: 2,
    outputs: 1,
    formats: operands,
    shapes: (inputs) => {
      const gradient = input("linearGradInput", inputs, 0, -1);
      const weight = input("linearGradInput", inputs, 1, 2);
      same("linearGradInput", inputs, gradient.slice(-1), weight.slice(1));
      return [[...gradient.slice(0, -1), ...weight.slice(0, 1)]];
    },
  },
  linearGradWeight: {
    inputs: 2,
    outputs: 1,
    formats: operands,
    shapes: (inputs) => {
      const x = input("linearGradWeight", inputs, 0, -1);
      const gradient = input("linearGradWeight", inputs, 1, x.length);
      same("linearGradWeight", inputs, x.slice(0, -1), gradient.slice(0, -1));
      return [[...x.slice(-1), ...gradient.slice(-1)]];
    },
  },
  sumRows: { inputs: 1, outputs: 1, shapes: (inputs) => [input("sumRows", inputs, 0, -1).slice(-1)] },
  layerNorm: withVectors("layerNorm", 2),
  layerNormGrad: {
    inputs: 3,
    outputs: 3,
    shapes: (inputs) => {
      const gradient = input("layerNormGrad", inputs, 0, -1);
      const gain = input("layerNormGrad", inputs, 2, 1);
      same("layerNormGrad", inputs, gradient, input("layerNormGrad", inputs, 1, gradient.length));
      same("layerNormGrad", inputs, gradient.slice(-1), gain);
      return [gradient, gain, gain];
    },
  },
  normalize: elementwise("normalize", 1, 1),
  normalizeGrad: elementwise("normalizeGrad", 2, 1),
  gelu: elementwise("gelu", 1),
  geluGrad: elementwise("geluGrad", 2),
} satisfies Signatures;
