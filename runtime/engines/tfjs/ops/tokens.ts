/** The ops on pixels and tokens. */
import type { KernelTable } from "../../table";
import type { Tensor } from "../core";
import type { Kernels } from "../kernels";
import { GATHER_ROWS } from "../own-kernels";

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

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** As [everything else, second axis from the end, last axis]. */
function stacks(k: Kernels, x: Tensor): Tensor {
  const [tokens = 1, width = 1] = x.shape.slice(-2);
  return k.reshape(x, [x.size / tokens / width, tokens, width]);
}

function rows(k: Kernels, x: Tensor): Tensor {
  const width = x.shape.at(-1) ?? 1;
  return k.reshape(x, [x.size / width, width]);
}

/** index[r, k] as rows of all images' tokens, one after the other: row r belongs to image r mod images. */
function flatIndex(k: Kernels, index: Tensor, images: number, tokens: number): Tensor {
  const [count = 0] = index.shape;
  const starts = k.constant(`starts ${count} ${images} ${tokens}`, [count, 1], "i32", () =>
    Int32Array.from({ length: count }, (_, r) => (r % images) * tokens),
  );
  return k.reshape(k.add(index, starts), [index.size]);
}

function gather(k: Kernels, table: Tensor, index: Tensor): Tensor {
  return k.run(GATHER_ROWS, { table, index, axis: k.constant("axis 0", [], "i32", () => Int32Array.of(0)) });
}

/** Sum over the first axis of [copies, size], part by part: only one copy is held besides the sum. */
function sumCopies(k: Kernels, x: Tensor, copies: number, size: number): Tensor {
  if (copies === 1) return k.reshape(x, [size]);
  k.shared(copies, x);
  const part = (copy: number): Tensor => k.slice(x, [copy, 0], [1, size]);
  let sum = part(0);
  for (let copy = 1; copy < copies; copy++) sum = k.add(sum, part(copy));
  return k.reshape(sum, [size]);
}

export const tokenOps: KernelTable<Kernels, Tensor, Tensor, TokenOp> = {
  // Two swaps of neighbours, as kernels have fast forms for up to four axes.
  normalizePixels: (k, [images, mean, std]) => {
    const ofChannel = (x: Tensor): Tensor => k.reshape(x, [1, x.size, 1, 1]);
    return k.div(k.sub(k.div(images, 255), ofChannel(mean)), ofChannel(std));
  },

  patchify: (k, [images], { patch, tokens }, [shape = []]) => {
    const [batch = 0, channels = 0, height = 0, width = 0] = images.shape;
    const strips = k.reshape(images, [(batch * channels * height) / patch, patch, width / patch, patch]);
    const patches = k.transpose(strips, [0, 2, 1, 3]);
    const byChannel = k.reshape(patches, [batch, channels, tokens, patch * patch]);
    return k.reshape(k.transpose(byChannel, [0, 2, 1, 3]), shape);
  },
  gatherTokens: (k, [x, index], _, [shape = []]) => {
    const [images = 0, tokens = 0] = x.shape;
    return k.reshape(gather(k, rows(k, x), flatIndex(k, index, images, tokens)), shape);
  },
  scatterTokens: (k, [gradient, index], { images, tokens }, [shape = []]) => {
    const width = gradient.shape.at(-1) ?? 1;
    const indices = k.reshape(flatIndex(k, index, images, tokens), [index.size, 1]);
    const scattered = k.run("ScatterNd", { indices, updates: rows(k, gradient) }, { shape: [images * tokens, width] });
    return k.reshape(scattered, shape);
  },
  gatherRows: (k, [table, index], _, [shape = []]) =>
    k.reshape(gather(k, table, k.reshape(index, [index.size])), shape),
  concatTokens: (k, [a, b]) => k.concat([a, b], 1),
  sliceTokens: (k, [x], { start, tokens }, [shape = []]) => {
    const all = stacks(k, x);
    const [count = 0, , width = 0] = all.shape;
    return k.reshape(k.slice(all, [0, start, 0], [count, tokens, width]), shape);
  },
  padTokens: (k, [x], { start, tokens }, [shape = []]) => {
    const all = stacks(k, x);
    const after = tokens - start - (all.shape[1] ?? 0);
    return k.reshape(
      k.pad(all, [
        [0, 0],
        [start, after],
        [0, 0],
      ]),
      shape,
    );
  },
  sliceColumns: (k, [x], { start, width }, [shape = []]) => {
    const all = rows(k, x);
    return k.reshape(k.slice(all, [0, start], [all.shape[0] ?? 0, width]), shape);
  },
  padColumns: (k, [x], { start, width }, [shape = []]) => {
    const all = rows(k, x);
    const after = width - start - (all.shape[1] ?? 0);
    return k.reshape(
      k.pad(all, [
        [0, 0],
        [start, after],
      ]),
      shape,
    );
  },
  tileBatch: (k, [x], { copies }, [shape = []]) => k.reshape(k.tile(k.reshape(x, [1, x.size]), [copies, 1]), shape),
  sumTiles: (k, [x], { copies }, [shape = []]) => {
    const size = sizeOf(shape);
    return k.reshape(sumCopies(k, k.reshape(x, [copies, size]), copies, size), shape);
  },
  splitBlocks: (k, [x], { blocks, copies, tokens }, [shape = []]) => {
    const [images = 0, , width = 0] = x.shape;
    const byBlock = k.transpose(k.reshape(x, [images, blocks, tokens, width]), [1, 0, 2, 3]);
    const once = k.reshape(byBlock, [blocks, 1, images * tokens * width]);
    return k.reshape(k.tile(once, [1, copies, 1]), shape);
  },
  joinBlocks: (k, [x], { blocks, copies, images }, [shape = []]) => {
    const [, tokens = 0, width = 0] = x.shape;
    const size = images * tokens * width;
    const byCopy = k.reshape(x, [blocks, copies, size]);
    const copiesFirst = copies === 1 ? byCopy : k.transpose(byCopy, [1, 0, 2]);
    const sum = sumCopies(k, k.reshape(copiesFirst, [copies, blocks * size]), copies, blocks * size);
    return k.reshape(k.transpose(k.reshape(sum, [blocks, images, tokens, width]), [1, 0, 2, 3]), shape);
  },
  meanTokens: (k, [x]) => k.run("Mean", { x }, { axis: [1], keepDims: false }),
  spreadTokens: (k, [gradient], { tokens }) => {
    const [images = 0, width = 0] = gradient.shape;
    return k.tile(k.reshape(k.mul(gradient, 1 / tokens), [images, 1, width]), [1, tokens, 1]);
  },
};
