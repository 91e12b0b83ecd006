/** Sums and scales. There is no implicit broadcasting: each op says which axes it repeats. */
import { isAGradient, type Op, perElement, perInputElement, tokenwise, when } from "./op";

export const add: Op<"add"> = {
  name: "add",
  tokenwise: tokenwise(2),
  doc: "out = a + b",
  flops: perElement(1),
  vjp: ({ gradient }) => [gradient, gradient],
};

export const addVector: Op<"addVector"> = {
  name: "addVector",
  tokenwise: tokenwise(1),
  doc: "out[r, d] = x[r, d] + vector[d]",
  flops: perElement(1),
  vjp: ({ graph, gradient, wants, name }) => [
    gradient,
    when(wants(1), () => graph.one("sumRows", [gradient], {}, name(1))),
  ],
};

export const addTable: Op<"addTable"> = {
  name: "addTable",
  tokenwise: null,
  doc: "out[b, n, d] = x[b, n, d] + table[n, d]",
  flops: perElement(1),
  vjp: ({ graph, gradient, wants, name }) => [
    gradient,
    when(wants(1), () => graph.one("sumBatch", [gradient], {}, name(1))),
  ],
};

export const sumBatch: Op<"sumBatch"> = {
  name: "sumBatch",
  tokenwise: null,
  doc: "out[n, d] = Σ_b x[b, n, d]",
  flops: perInputElement(1),
  vjp: isAGradient("addTable"),
};

export const scale: Op<"scale"> = {
  name: "scale",
  tokenwise: tokenwise(1),
  doc: "out = by · x",
  flops: perElement(1),
  vjp: ({ graph, gradient, attrs, name }) => [graph.one("scale", [gradient], attrs, name(0))],
};

export const scaleBy: Op<"scaleBy"> = {
  name: "scaleBy",
  tokenwise: tokenwise(1),
  doc: "out = factor · x",
  flops: perElement(1),
  vjp: { why: "its factor is a constant of the step, and nothing below it is differentiated" },
};

export const scaleRows: Op<"scaleRows"> = {
  name: "scaleRows",
  tokenwise: tokenwise(1, { others: "of an image" }),
  doc: "out[r, …] = factor[r] · x[r, …]",
  flops: perElement(1),
  vjp: ({ graph, gradient, input, name }) => [graph.one("scaleRows", [gradient, input(1)], {}, name(0)), undefined],
};

export const one: Op<"one"> = {
  name: "one",
  tokenwise: null,
  doc: "out = 1",
  flops: perElement(0),
  vjp: { why: "it is a constant" },
};
