/** The ops on pixels and tokens, one output element after the other. */
import type { KernelTable } from "../table";
import { at, axis, type Dense, dense, fill, sizeOf } from "./tensor";

type TokenOp =
  | "normalizePixels"
  | "patchify"
  | "gatherTokens"
  | "scatterTokens"
  | "gatherRows"
  | "concatTokens"
  | "sliceTokens"
  | "padTokens"
  | "sliceColumns"
  | "padColumns"
  | "tileBatch"
  | "sumTiles"
  | "splitBlocks"
  | "joinBlocks"
  | "meanTokens"
  | "spreadTokens";

/** Columns [start, start + width) of x where they exist, zero elsewhere. */
function columns(x: Dense, start: number, width: number): Dense {
  const from = axis(x, -1);
  return fill([...x.shape.slice(0, -1), width], (i) => {
    const column = (i % width) + start;
    return column >= 0 && column < from ? at(x, Math.floor(i / width) * from + column) : 0;
  });
}

/** The same for tokens, the second axis from the end. */
function tokensOf(x: Dense, start: number, tokens: number): Dense {
  const width = axis(x, -1);
  const from = axis(x, -2);
  return fill([...x.shape.slice(0, -2), tokens, width], (i) => {
    const row = Math.floor(i / width);
    const token = (row % tokens) + start;
    return token >= 0 && token < from ? at(x, (Math.floor(row / tokens) * from + token) * width + (i % width)) : 0;
  });
}

export const tokenKernels: KernelTable<null, Dense, Dense, TokenOp> = {
  normalizePixels: (_, [images, mean, std]) => {
    const plane = axis(images, 2) * axis(images, 3);
    return fill(images.shape, (i) => {
      const channel = Math.floor(i / plane) % axis(images, 1);
      return (at(images, i) / 255 - at(mean, channel)) / at(std, channel);
    });
  },
  patchify: (_, [images], { patch, tokens, values }) => {
    const [batch = 0, channels = 0, height = 0, width = 0] = images.shape;
    const gridWidth = width / patch;
    return fill([batch, tokens, values], (i) => {
      const value = i % values;
      const token = Math.floor(i / values) % tokens;
      const image = Math.floor(i / values / tokens);
      const channel = Math.floor(value / (patch * patch));
      const y = Math.floor(token / gridWidth) * patch + (Math.floor(value / patch) % patch);
      const x = (token % gridWidth) * patch + (value % patch);
      return at(images, ((image * channels + channel) * height + y) * width + x);
    });
  },
  gatherTokens: (_, [x, index]) => {
    const [images = 0, tokens = 0, width = 0] = x.shape;
    const kept = axis(index, 1);
    return fill([...index.shape, width], (i) => {
      const place = Math.floor(i / width);
      const image = Math.floor(place / kept) % images;
      return at(x, (image * tokens + at(index, place)) * width + (i % width));
    });
  },
  scatterTokens: (_, [gradient, index], { images, tokens }) => {
    const width = axis(gradient, 2);
    const kept = axis(index, 1);
    const out = new Float64Array(images * tokens * width);
    for (let i = 0; i < gradient.data.length; i++) {
      const place = Math.floor(i / width);
      const image = Math.floor(place / kept) % images;
      const to = (image * tokens + at(index, place)) * width + (i % width);
      out[to] = (out[to] ?? 0) + at(gradient, i);
    }
    return dense([images, tokens, width], out);
  },
  gatherRows: (_, [table, index]) => {
    const width = axis(table, 1);
    return fill([...index.shape, width], (i) => at(table, at(index, Math.floor(i / width)) * width + (i % width)));
  },
  concatTokens: (_, [a, b], { tokens }) => {
    const first = tokensOf(a, 0, tokens);
    const second = tokensOf(b, -axis(a, 1), tokens);
    return fill(first.shape, (i) => at(first, i) + at(second, i));
  },
  sliceTokens: (_, [x], { start, tokens }) => tokensOf(x, start, tokens),
  padTokens: (_, [x], { start, tokens }) => tokensOf(x, -start, tokens),
  sliceColumns: (_, [x], { start, width }) => columns(x, start, width),
  padColumns: (_, [x], { start, width }) => columns(x, -start, width),
  tileBatch: (_, [x], { rows }) => fill([rows, ...x.shape.slice(1)], (i) => at(x, i % x.data.length)),
  sumTiles: (_, [x], { copies, rows }) => {
    const shape = [rows, ...x.shape.slice(1)];
    const size = sizeOf(shape);
    return fill(shape, (i) => {
      let sum = 0;
      for (let copy = 0; copy < copies; copy++) sum += at(x, copy * size + i);
      return sum;
    });
  },
  splitBlocks: (_, [x], { copies, rows, tokens }) => {
    const [images = 0, all = 0, width = 0] = x.shape;
    return fill([rows, tokens, width], (i) => {
      const token = Math.floor(i / width) % tokens;
      const row = Math.floor(i / width / tokens);
      const block = Math.floor(row / images / copies);
      return at(x, ((row % images) * all + block * tokens + token) * width + (i % width));
    });
  },
  joinBlocks: (_, [x], { copies, images, tokens: all }) => {
    const [, tokens = 0, width = 0] = x.shape;
    return fill([images, all, width], (i) => {
      const token = Math.floor(i / width) % all;
      const image = Math.floor(i / width / all);
      const block = Math.floor(token / tokens);
      let sum = 0;
      for (let copy = 0; copy < copies; copy++) {
        const row = (block * copies + copy) * images + image;
        sum += at(x, (row * tokens + (token % tokens)) * width + (i % width));
      }
      return sum;
    });
  },
  meanTokens: (_, [x]) => {
    const [images = 0, tokens = 0, width = 0] = x.shape;
    return fill([images, width], (i) => {
      let sum = 0;
      for (let token = 0; token < tokens; token++) {
        sum += at(x, (Math.floor(i / width) * tokens + token) * width + (i % width));
      }
      return sum / tokens;
    });
  },
  spreadTokens: (_, [gradient], { tokens }) => {
    const [images = 0, width = 0] = gradient.shape;
    return fill([images, tokens, width], (i) => {
      return at(gradient, Math.floor(i / width / tokens) * width + (i % width)) / tokens;
    });
  },
};
