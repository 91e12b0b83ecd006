/** Lowerings of the ops on pixels and tokens: cutting, choosing, joining. */
import type { KernelTable } from "../../table";
import { type Builder, sizeAt, type Value } from "../builder";

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

export const tokenLowerings: KernelTable<Builder, Value, Value, TokenOp> = {
  normalizePixels: (b, [images, mean, std]) => {
    const ofChannel = (x: Value): Value => b.broadcast(x, images.shape, [1]);
    const unit = b.div(b.convert(images, "f32"), b.scalar(255));
    return b.div(b.sub(unit, ofChannel(mean)), ofChannel(std));
  },

  patchify: (b, [images], { patch }, [out = []]) => {
    const [batch = 0, channels = 0, height = 0, width = 0] = images.shape;
    const grid = b.reshape(images, [batch, channels, height / patch, patch, width / patch, patch]);
    return b.reshape(b.transpose(grid, [0, 2, 4, 1, 3, 5]), out);
  },

  // Rows of the tokens of all images, one after the other.
  gatherTokens: (b, [x, index]) => {
    const [images = 0, tokens = 0] = x.shape;
    const [rows = 0, kept = 0] = index.shape;
    const row = b.iota([rows, kept], 0);
    const image = rows === images ? row : b.binary("remainder", row, b.scalar(images, "i32"));
    return b.gatherRows(b.rows(x), b.add(index, b.mul(image, b.scalar(tokens, "i32"))));
  },

  // A product with ones where a token was taken from: the same sums in every run, which adding in place by many threads
  // does not give.
  scatterTokens: (b, [gradient, index], { images, tokens }) => {
    const [rows = 0, kept = 0, width = 0] = gradient.shape;
    const copies = rows / images;
    const form = [copies, images, kept, tokens];
    const from = b.atFirst(b.reshape(index, [copies, images, kept]), form);
    const ones = b.equal(from, b.iota(form, 3), "f32");
    const parts = b.convert(b.reshape(gradient, [copies, images, kept, width]), "f32");
    return b.dot(ones, parts, {
      batch: [[1], [1]],
      contract: [
        [0, 2],
        [0, 2],
      ],
    });
  },

  gatherRows: (b, [table, index]) => b.gatherRows(table, index),
  concatTokens: (b, [first, second]) => b.concat([first, second], 1),
  sliceTokens: (b, [x], { start, tokens }) => b.slice(x, x.shape.length - 2, start, tokens),
  padTokens: (b, [x], { start, tokens }) => b.pad(x, x.shape.length - 2, start, tokens),
  sliceColumns: (b, [x], { start, width }) => b.slice(x, x.shape.length - 1, start, width),
  padColumns: (b, [x], { start, width }) => b.pad(x, x.shape.length - 1, start, width),

  tileBatch: (b, [x], { copies }, [out = []]) => {
    const form = [copies, ...x.shape];
    return b.reshape(b.atLast(x, form), out);
  },
  sumTiles: (b, [x], { copies }, [out = []]) => b.reduce("add", b.reshape(x, [copies, ...out]), [0]),

  splitBlocks: (b, [x], { blocks, copies, tokens }, [out = []]) => {
    const [images = 0, , width = 0] = x.shape;
    const parts = b.transpose(b.reshape(x, [images, blocks, tokens, width]), [1, 0, 2, 3]);
    const form = [blocks, copies, images, tokens, width];
    return b.reshape(b.broadcast(parts, form, [0, 2, 3, 4]), out);
  },
  joinBlocks: (b, [x], { blocks, copies, images }, [out = []]) => {
    const [, tokens = 0, width = 0] = x.shape;
    const parts = b.reduce("add", b.reshape(x, [blocks, copies, images, tokens, width]), [1]);
    return b.reshape(b.transpose(parts, [1, 0, 2, 3]), out);
  },

  meanTokens: (b, [x]) => b.times(b.reduce("add", x, [1]), 1 / sizeAt(x, 1)),
  spreadTokens: (b, [gradient], { tokens }, [out = []]) => b.broadcast(b.times(gradient, 1 / tokens), out, [0, 2]),
};
