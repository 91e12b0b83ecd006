/** Ops that move pixels, tokens and rows. */
import { indexed, takes } from "../formats";
import { axis, input, type Signatures, same } from "./signature";

export const tokens = {
  normalizePixels: {
    inputs: 3,
    outputs: 1,
    formats: takes(["u8"]),
    shapes: (inputs) => {
      const images = input("normalizePixels", inputs, 0, 4);
      const channels = images.slice(1, 2);
      same("normalizePixels", inputs, channels, input("normalizePixels", inputs, 1, 1));
      same("normalizePixels", inputs, channels, input("normalizePixels", inputs, 2, 1));
      return [images];
    },
  },
  patchify: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { tokens, values }) => {
      const images = input("patchify", inputs, 0, 4);
      return [[axis("patchify", inputs, images, 0), tokens, values]];
    },
  },
  gatherTokens: {
    inputs: 2,
    outputs: 1,
    formats: indexed,
    shapes: (inputs) => {
      const x = input("gatherTokens", inputs, 0, 3);
      const index = input("gatherTokens", inputs, 1, 2);
      return [[...index, axis("gatherTokens", inputs, x, 2)]];
    },
  },
  scatterTokens: {
    inputs: 2,
    outputs: 1,
    formats: indexed,
    shapes: (inputs, { images, tokens }) => {
      const gradient = input("scatterTokens", inputs, 0, 3);
      same("scatterTokens", inputs, gradient.slice(0, 2), input("scatterTokens", inputs, 1, 2));
      return [[images, tokens, axis("scatterTokens", inputs, gradient, 2)]];
    },
  },
  gatherRows: {
    inputs: 2,
    outputs: 1,
    formats: indexed,
    shapes: (inputs) => {
      const table = input("gatherRows", inputs, 0, 2);
      return [[...input("gatherRows", inputs, 1, 2), axis("gatherRows", inputs, table, 1)]];
    },
  },
  concatTokens: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs, { tokens }) => {
      const a = input("concatTokens", inputs, 0, 3);
      const b = input("concatTokens", inputs, 1, 3);
      same("concatTokens", inputs, [axis("concatTokens", inputs, a, 0)], [axis("concatTokens", inputs, b, 0)]);
      same("concatTokens", inputs, a.slice(2), b.slice(2));
      return [[axis("concatTokens", inputs, a, 0), tokens, axis("concatTokens", inputs, a, 2)]];
    },
  },
  sliceTokens: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { tokens }) => {
      const x = input("sliceTokens", inputs, 0, -2);
      return [[...x.slice(0, -2), tokens, ...x.slice(-1)]];
    },
  },
  padTokens: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { tokens }) => {
      const x = input("padTokens", inputs, 0, -2);
      return [[...x.slice(0, -2), tokens, ...x.slice(-1)]];
    },
  },
  sliceColumns: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { width }) => [[...input("sliceColumns", inputs, 0, -1).slice(0, -1), width]],
  },
  padColumns: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { width }) => [[...input("padColumns", inputs, 0, -1).slice(0, -1), width]],
  },
  tileBatch: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { rows }) => [[rows, ...input("tileBatch", inputs, 0, -1).slice(1)]],
  },
  sumTiles: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { rows }) => [[rows, ...input("sumTiles", inputs, 0, -1).slice(1)]],
  },
  splitBlocks: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { rows, tokens }) => [[rows, tokens, ...input("splitBlocks", inputs, 0, 3).slice(2)]],
  },
  joinBlocks: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { images, tokens }) => [[images, tokens, ...input("joinBlocks", inputs, 0, 3).slice(2)]],
  },
  meanTokens: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs) => {
      const x = input("meanTokens", inputs, 0, 3);
      return [[...x.slice(0, 1), ...x.slice(2)]];
    },
  },
  spreadTokens: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { tokens }) => {
      const x = input("spreadTokens", inputs, 0, 2);
      return [[...x.slice(0, 1), tokens, ...x.slice(1)]];
    },
  },
} satisfies Signatures;
