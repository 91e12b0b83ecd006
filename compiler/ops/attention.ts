/** Heads, batched products and softmax with their gradients. */
import { asOperand, isAGradient, type Op, ofProduct, perElement, when } from "./op";

export const splitHeads: Op<"splitHeads"> = {
  name: "splitHeads",
  tokenwise: null,
  doc: "q, k, v [b, h, n, e] = qkv[b, n, (part, h, e)] for part 0, 1, 2",
  flops: perElement(0),
  vjp: ({ graph, gradients, input, name }) => [
    graph.one("joinHeads", gradients, { width: input(0).shape[2] ?? 0 }, name(0)),
  ],
};

export const joinHeads: Op<"joinHeads"> = {
  name: "joinHeads",
  tokenwise: null,
  doc: "out[b, n, (part, h, e)] = q, k, v [b, h, n, e] for part 0, 1, 2",
  flops: perElement(0),
  vjp: isAGradient("splitHeads"),
};

export const mergeHeads: Op<"mergeHeads"> = {
  name: "mergeHeads",
  tokenwise: null,
  doc: "out[b, n, (h, e)] = x[b, h, n, e]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, name }) => {
    const [, heads = 0, , headWidth = 0] = input(0).shape;
    return [graph.one("unmergeHeads", [gradient], { heads, headWidth }, name(0))];
  },
};

export const unmergeHeads: Op<"unmergeHeads"> = {
  name: "unmergeHeads",
  tokenwise: null,
  doc: "out[b, h, n, e] = x[b, n, (h, e)]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, name }) => [
    graph.one("mergeHeads", [gradient], { width: input(0).shape[2] ?? 0 }, name(0)),
  ],
};

export const matmul: Op<"matmul"> = {
  name: "matmul",
  tokenwise: null,
  doc: "out[…, i, o] = scale · Σ_k a[…, i, k] · b[…, k, o]",
  flops: ofProduct(([a]) => a?.at(-1) ?? 0),
  vjp: ({ graph, gradient, input, attrs, wants, name }) => {
    const operand = asOperand(graph, gradient, input(0));
    return [
      when(wants(0), () => graph.one("matmulNT", [operand, input(1)], attrs, name(0))),
      when(wants(1), () => graph.one("matmulTN", [input(0), operand], attrs, name(1))),
    ];
  },
};

export const matmulNT: Op<"matmulNT"> = {
  name: "matmulNT",
  tokenwise: null,
  doc: "out[…, i, o] = scale · Σ_k a[…, i, k] · b[…, o, k]",
  flops: ofProduct(([a]) => a?.at(-1) ?? 0),
  vjp: ({ graph, gradient, input, attrs, wants, name }) => {
    const operand = asOperand(graph, gradient, input(0));
    return [
      when(wants(0), () => graph.one("matmul", [operand, input(1)], attrs, name(0))),
      when(wants(1), () => graph.one("matmulTN", [operand, input(0)], attrs, name(1))),
    ];
  },
};

export const matmulTN: Op<"matmulTN"> = {
  name: "matmulTN",
  tokenwise: null,
  doc: "out[…, i, o] = scale · Σ_k a[…, k, i] · b[…, k, o]",
  flops: ofProduct(([a]) => a?.at(-2) ?? 0),
  vjp: ({ graph, gradient, input, attrs, wants, name }) => {
    const operand = asOperand(graph, gradient, input(0));
    return [
      when(wants(0), () => graph.one("matmulNT", [input(1), operand], attrs, name(0))),
      when(wants(1), () => graph.one("matmul", [input(0), operand], attrs, name(1))),
    ];
  },
};

export const softmax: Op<"softmax"> = {
  name: "softmax",
  tokenwise: null,
  doc: "out[…, j] = e^(x[…, j]) / Σ_k e^(x[…, k])",
  flops: perElement(6),
  vjp: ({ graph, gradient, outputs, name }) => [graph.one("softmaxGrad", [gradient, ...outputs], {}, name(0))],
};

export const softmaxGrad: Op<"softmaxGrad"> = {
  name: "softmaxGrad",
  tokenwise: null,
  doc: "out[…, j] = y[…, j] · (gradient[…, j] − Σ_k gradient[…, k] · y[…, k])",
  flops: perElement(4),
  vjp: isAGradient("softmax"),
};
