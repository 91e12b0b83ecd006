/** Ops that move pixels, tokens and rows; each beside the op that is its gradient. */
import { type Op, perElement, perInputElement, tokenwise, when } from "./op";

export const normalizePixels: Op<"normalizePixels"> = {
  name: "normalizePixels",
  tokenwise: null,
  doc: "out[b, c, y, x] = (images[b, c, y, x] / 255 − mean[c]) / std[c]",
  flops: perElement(3),
  vjp: { why: "images are data" },
};

export const patchify: Op<"patchify"> = {
  name: "patchify",
  tokenwise: null,
  doc: "out[b, gy·G+gx, (c,y,x)] = images[b, c, gy·p+y, gx·p+x]",
  flops: perElement(0),
  vjp: { why: "images are data" },
};

export const gatherTokens: Op<"gatherTokens"> = {
  name: "gatherTokens",
  tokenwise: null,
  doc: "out[r, k, d] = x[r mod B, index[r, k], d]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, wants, name }) => {
    const [images = 0, tokens = 0] = input(0).shape;
    return [
      when(wants(0), () => graph.one("scatterTokens", [gradient, input(1)], { images, tokens }, name(0))),
      undefined,
    ];
  },
};

export const scatterTokens: Op<"scatterTokens"> = {
  name: "scatterTokens",
  tokenwise: null,
  doc: "out[b, n, d] = Σ over r, k with r mod B = b and index[r, k] = n of gradient[r, k, d]",
  flops: perInputElement(1),
  vjp: ({ graph, gradient, input, wants, name }) => [
    when(wants(0), () => graph.one("gatherTokens", [gradient, input(1)], {}, name(0))),
    undefined,
  ],
};

export const gatherRows: Op<"gatherRows"> = {
  name: "gatherRows",
  tokenwise: null,
  doc: "out[r, k, d] = table[index[r, k], d]",
  flops: perElement(0),
  vjp: { why: "position tables are constants" },
};

export const concatTokens: Op<"concatTokens"> = {
  name: "concatTokens",
  tokenwise: null,
  doc: "out[b, 0…P−1] = a[b], out[b, P…P+Q−1] = b[b]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, wants, name }) => {
    const first = input(0).shape[1] ?? 0;
    const second = input(1).shape[1] ?? 0;
    return [
      when(wants(0), () => graph.one("sliceTokens", [gradient], { start: 0, tokens: first }, name(0))),
      when(wants(1), () => graph.one("sliceTokens", [gradient], { start: first, tokens: second }, name(1))),
    ];
  },
};

export const sliceTokens: Op<"sliceTokens"> = {
  name: "sliceTokens",
  tokenwise: null,
  doc: "out[…, t, d] = x[…, start+t, d]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const tokens = input(0).shape.at(-2) ?? 0;
    return [graph.one("padTokens", [gradient], { start: attrs.start, tokens }, name(0))];
  },
};

export const padTokens: Op<"padTokens"> = {
  name: "padTokens",
  tokenwise: null,
  doc: "out[…, start+t, d] = x[…, t, d], zero elsewhere",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const tokens = input(0).shape.at(-2) ?? 0;
    return [graph.one("sliceTokens", [gradient], { start: attrs.start, tokens }, name(0))];
  },
};

export const sliceColumns: Op<"sliceColumns"> = {
  name: "sliceColumns",
  tokenwise: tokenwise(1),
  doc: "out[…, p] = x[…, start+p]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const width = input(0).shape.at(-1) ?? 0;
    return [graph.one("padColumns", [gradient], { start: attrs.start, width }, name(0))];
  },
};

export const padColumns: Op<"padColumns"> = {
  name: "padColumns",
  tokenwise: tokenwise(1),
  doc: "out[…, start+p] = x[…, p], zero elsewhere",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const width = input(0).shape.at(-1) ?? 0;
    return [graph.one("sliceColumns", [gradient], { start: attrs.start, width }, name(0))];
  },
};

export const tileBatch: Op<"tileBatch"> = {
  name: "tileBatch",
  tokenwise: null,
  doc: "out[c·B+b] = x[b]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const rows = input(0).shape[0] ?? 0;
    return [graph.one("sumTiles", [gradient], { copies: attrs.copies, rows }, name(0))];
  },
};

export const sumTiles: Op<"sumTiles"> = {
  name: "sumTiles",
  tokenwise: null,
  doc: "out[b] = Σ_c x[c·B+b]",
  flops: perInputElement(1),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const rows = input(0).shape[0] ?? 0;
    return [graph.one("tileBatch", [gradient], { copies: attrs.copies, rows }, name(0))];
  },
};

export const splitBlocks: Op<"splitBlocks"> = {
  name: "splitBlocks",
  tokenwise: null,
  doc: "out[(m·copies+c)·B+b, t, d] = x[b, m·T+t, d]",
  flops: perElement(0),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const [images = 0, tokens = 0] = input(0).shape;
    return [
      graph.one("joinBlocks", [gradient], { blocks: attrs.blocks, copies: attrs.copies, images, tokens }, name(0)),
    ];
  },
};

export const joinBlocks: Op<"joinBlocks"> = {
  name: "joinBlocks",
  tokenwise: null,
  doc: "out[b, m·T+t, d] = Σ_c x[(m·copies+c)·B+b, t, d]",
  flops: perInputElement(1),
  vjp: ({ graph, gradient, input, attrs, name }) => {
    const [rows = 0, tokens = 0] = input(0).shape;
    return [
      graph.one("splitBlocks", [gradient], { blocks: attrs.blocks, copies: attrs.copies, rows, tokens }, name(0)),
    ];
  },
};

export const meanTokens: Op<"meanTokens"> = {
  name: "meanTokens",
  tokenwise: null,
  doc: "out[b, d] = (1/N) Σ_n x[b, n, d]",
  flops: perInputElement(1),
  vjp: ({ graph, gradient, input, name }) => [
    graph.one("spreadTokens", [gradient], { tokens: input(0).shape[1] ?? 0 }, name(0)),
  ],
};

export const spreadTokens: Op<"spreadTokens"> = {
  name: "spreadTokens",
  tokenwise: null,
  doc: "out[b, n, d] = gradient[b, d] / N",
  flops: perElement(1),
  vjp: ({ graph, gradient, name }) => [graph.one("meanTokens", [gradient], {}, name(0))],
};
