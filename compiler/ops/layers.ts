/** Linear layers, layer norm and GELU with their gradients. */
import { asOperand, isAGradient, type Op, ofProduct, perElement, perInputElement, tokenwise, when } from "./op";

export const linear: Op<"linear"> = {
  name: "linear",
  tokenwise: tokenwise(1),
  doc: "out[r, o] = Σ_i x[r, i] · weight[i, o] + bias[o]",
  flops: ofProduct(([, weight]) => weight?.[0] ?? 0),
  vjp: ({ graph, gradient, input, wants, name }) => {
    const operand = asOperand(graph, gradient, input(0));
    return [
      when(wants(0), () => graph.one("linearGradInput", [operand, input(1)], {}, name(0))),
      when(wants(1), () => graph.one("linearGradWeight", [input(0), operand], {}, name(1))),
      when(wants(2), () => graph.one("sumRows", [gradient], {}, name(2))),
    ];
  },
};

export const linearGradInput: Op<"linearGradInput"> = {
  name: "linearGradInput",
  tokenwise: tokenwise(1),
  doc: "out[r, i] = Σ_o gradient[r, o] · weight[i, o]",
  flops: ofProduct(([, weight]) => weight?.[1] ?? 0),
  vjp: isAGradient("linear"),
};

export const linearGradWeight: Op<"linearGradWeight"> = {
  name: "linearGradWeight",
  tokenwise: null,
  doc: "out[i, o] = Σ_r x[r, i] · gradient[r, o]",
  flops: ofProduct(([x]) => (x ?? []).slice(0, -1).reduce((rows, size) => rows * size, 1)),
  vjp: isAGradient("linear"),
};

export const sumRows: Op<"sumRows"> = {
  name: "sumRows",
  tokenwise: null,
  doc: "out[d] = Σ_r x[r, d]",
  flops: perInputElement(1),
  vjp: isAGradient("a bias"),
};

export const layerNorm: Op<"layerNorm"> = {
  name: "layerNorm",
  tokenwise: tokenwise(1),
  doc: "out[r, d] = (x[r, d] − mean_r) / √(var_r + eps) · gain[d] + bias[d]",
  flops: perElement(8),
  vjp: ({ graph, gradient, input, attrs, name }) =>
    graph.apply("layerNormGrad", [gradient, input(0), input(1)], { eps: attrs.eps }, name(0), name(1), name(2)),
};

export const layerNormGrad: Op<"layerNormGrad"> = {
  name: "layerNormGrad",
  tokenwise: null,
  doc: "h = gradient·gain, x̂ = (x − mean)/σ: dx = (h − mean(h) − x̂·mean(h·x̂))/σ, dGain = Σ_r gradient·x̂, dBias = Σ_r gradient",
  flops: perElement(16),
  vjp: isAGradient("layerNorm"),
};

export const normalize: Op<"normalize"> = {
  name: "normalize",
  tokenwise: tokenwise(1),
  doc: "out[r, d] = (x[r, d] − mean_r) / √(var_r + eps)",
  flops: perElement(6),
  vjp: ({ graph, gradient, input, attrs, name }) => [
    graph.one("normalizeGrad", [gradient, input(0)], { eps: attrs.eps }, name(0)),
  ],
};

export const normalizeGrad: Op<"normalizeGrad"> = {
  name: "normalizeGrad",
  tokenwise: tokenwise(2),
  doc: "dx = (gradient − mean(gradient) − x̂·mean(gradient·x̂))/σ",
  flops: perElement(12),
  vjp: isAGradient("normalize"),
};

export const gelu: Op<"gelu"> = {
  name: "gelu",
  tokenwise: tokenwise(1),
  doc: "out = x · ½(1 + erf(x/√2))",
  flops: perElement(10),
  vjp: ({ graph, gradient, input, name }) => [graph.one("geluGrad", [gradient, input(0)], {}, name(0))],
};

export const geluGrad: Op<"geluGrad"> = {
  name: "geluGrad",
  tokenwise: tokenwise(2),
  doc: "out = gradient · (½(1 + erf(x/√2)) + x·e^(−x²/2)/√(2π))",
  flops: perElement(16),
  vjp: isAGradient("gelu"),
};
