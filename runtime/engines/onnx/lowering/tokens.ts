/** Lowerings of the ops on pixels and tokens: cutting, choosing, joining. None of them computes but the first. */
import type { Shape } from "../../../ops/ops";
import type { KernelTable } from "../../table";
import { type Dim, productOf } from "../dims";
import type { Value } from "../graph";
import type { Handle, Recorder } from "../recorder";

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

function sizeAt(shape: Shape, i: number): number {
  const size = shape.at(i);
  if (size === undefined) throw new Error(`internal: [${shape.join(", ")}] has no axis ${i}`);
  return size;
}

/** Indices into the tokens of all images, one after the other: index[r, k] + (r mod images)·tokens, flat. */
function flatIndex(r: Recorder, index: Handle, images: number, tokens: Dim): Value {
  const rows = sizeAt(index.shape, 0);
  const image = Int32Array.from({ length: rows }, (_, row) => row % images);
  let offset = r.graph.constant(typeof tokens === "number" ? image.map((value) => value * tokens) : image, [rows, 1]);
  if (typeof tokens !== "number") {
    const size = r.graph.one("Cast", [r.size(tokens)], [1], { to: { int: 6 } }, { type: "i32" });
    offset = r.mul(offset, size);
  }
  const sum = r.add(r.full(index), offset);
  return r.reshape(sum, [productOf(sum.dims)]);
}

function gatherFlat(r: Recorder, rows: Value, index: Value): Value {
  const width = rows.dims[1] ?? 1;
  return r.graph.one("Gather", [rows, index], [index.dims[0] ?? 1, width], { axis: { int: 0 } });
}

function zeros(r: Recorder, dims: readonly Dim[]): Value {
  return r.graph.one("Expand", [r.graph.scalar(0), r.sizes(dims)], dims);
}

/** onnx.proto's number of float32. */
export const FLOAT = 1;

/** From bytes as float32, [B, C, H, W]. */
export function normalizedPixels(
  r: Recorder,
  pixels: Value,
  { mean, std }: { readonly mean: Handle; readonly std: Handle },
): Value {
  const ofChannel = (x: Handle): Value => r.reshape(r.full(x), [1, sizeAt(x.shape, 0), 1, 1]);
  return r.div(r.sub(r.div(pixels, r.graph.scalar(255)), ofChannel(mean)), ofChannel(std));
}

export const tokenLowerings: KernelTable<Recorder, Handle, Value, TokenOp> = {
  normalizePixels: (r, [images, mean, std]) => {
    const bytes = r.full(images);
    return normalizedPixels(r, r.graph.one("Cast", [bytes], bytes.dims, { to: { int: FLOAT } }), { mean, std });
  },

  patchify: (r, [images], { patch }, [out = []]) => {
    const [batch = 0, channels = 0, height = 0, width = 0] = images.shape;
    const grid = r.reshape(r.full(images), [r.dim(batch), channels, height / patch, patch, width / patch, patch]);
    const patches = r.transpose(grid, [0, 2, 4, 1, 3, 5]);
    return r.reshape(patches, [productOf(r.dims(out.slice(0, 2))), sizeAt(out, 2)]);
  },

  gatherTokens: (r, [x, index]) => {
    const [images = 0, tokens = 0] = x.shape;
    return gatherFlat(r, r.rows(x), flatIndex(r, index, images, r.dim(tokens)));
  },

  scatterTokens: (r, [gradient, index], { images, tokens }) => {
    const flat = flatIndex(r, index, images, r.dim(tokens));
    const count = flat.dims[0] ?? 1;
    const rows = r.rows(gradient);
    const wide = r.graph.one("Cast", [r.reshape(flat, [count, 1])], [count, 1], { to: { int: 7 } }, { type: "i64" });
    const dims = [productOf([images, r.dim(tokens)]), rows.dims[1] ?? 1];
    return r.graph.one("ScatterND", [zeros(r, dims), wide, rows], dims, { reduction: { text: "add" } });
  },

  gatherRows: (r, [table, index]) =>
    gatherFlat(r, r.rows(table), r.reshape(index.value, [productOf(r.dims(index.shape))])),

  concatTokens: (r, [a, b], _, [out = []]) =>
    r.graph.one("Concat", [r.full(a), r.full(b)], r.dims(out), { axis: { int: 1 } }),

  sliceTokens: (r, [x], { start, tokens }, [out = []]) => {
    const from = r.size(r.dim(start));
    const to =
      start >= 0 && tokens >= 0
        ? r.graph.ints([start + tokens])
        : r.graph.one("Add", [from, r.size(r.dim(tokens))], [1], {}, { type: "i64" });
    return r.graph.one("Slice", [r.full(x), from, to, r.graph.ints([x.shape.length - 2])], r.dims(out));
  },

  padTokens: (r, [x], { start, tokens }, [out = []]) => {
    const axis = x.shape.length - 2;
    const before = r.size(r.dim(start));
    const used = r.graph.one("Add", [before, r.size(r.dim(sizeAt(x.shape, -2)))], [1], {}, { type: "i64" });
    const after = r.graph.one("Sub", [r.size(r.dim(tokens)), used], [1], {}, { type: "i64" });
    const none = r.graph.ints(new Array<number>(axis).fill(0));
    const last = r.graph.ints([0]);
    const parts = axis > 0 ? [none, before, last, none, after, last] : [before, last, after, last];
    const pads = r.graph.one("Concat", parts, [2 * x.shape.length], { axis: { int: 0 } }, { type: "i64" });
    return r.graph.one("Pad", [r.full(x), pads], r.dims(out), { mode: { text: "constant" } });
  },

  sliceColumns: (r, [x], { start, width }) => {
    const ends = [r.graph.ints([start]), r.graph.ints([start + width]), r.graph.ints([x.value.dims.length - 1])];
    return r.graph.one("Slice", [x.value, ...ends], [...x.value.dims.slice(0, -1), width]);
  },

  padColumns: (r, [x], { start, width }) => {
    const { dims } = x.value;
    const before = dims.map((_, i) => (i === dims.length - 1 ? start : 0));
    const after = dims.map((_, i) => (i === dims.length - 1 ? width - start - sizeAt(x.shape, -1) : 0));
    const out = [...dims.slice(0, -1), width];
    return r.graph.one("Pad", [x.value, r.graph.ints([...before, ...after])], out, { mode: { text: "constant" } });
  },

  tileBatch: (r, [x], { copies }, [out = []]) =>
    copies === 1
      ? x.value
      : r.graph.one("Concat", new Array<Value>(copies).fill(r.full(x)), r.dims(out), { axis: { int: 0 } }),

  sumTiles: (r, [x], { copies }, [out = []]) => {
    if (copies === 1) return x.value;
    const inner = r.dims(out);
    return r.reduce("ReduceSum", r.reshape(r.full(x), [copies, productOf(inner)]), [0], false);
  },

  splitBlocks: (r, [x], { blocks, copies, tokens }, [out = []]) => {
    const [images = 0, , width = 0] = x.shape;
    const parts = r.reshape(r.full(x), [images, blocks, r.dim(tokens), width]);
    const split = r.transpose(parts, [1, 0, 2, 3]);
    if (copies === 1) return r.reshape(split, r.dims(out));
    const single = r.reshape(split, [blocks, 1, images, r.dim(tokens), width]);
    const repeated = [blocks, copies, images, r.dim(tokens), width];
    return r.reshape(r.graph.one("Expand", [single, r.sizes(repeated)], repeated), r.dims(out));
  },

  joinBlocks: (r, [x], { blocks, copies, images }, [out = []]) => {
    const [, tokens = 0, width = 0] = x.shape;
    const parts = r.reshape(r.full(x), [blocks, copies, images, r.dim(tokens), width]);
    const summed =
      copies === 1
        ? r.reshape(parts, [blocks, images, r.dim(tokens), width])
        : r.reduce("ReduceSum", parts, [1], false);
    return r.reshape(r.transpose(summed, [1, 0, 2, 3]), r.dims(out));
  },

  meanTokens: (r, [x]) => r.reduce("ReduceMean", r.full(x), [1], false),

  spreadTokens: (r, [gradient], { tokens }, [out = []]) => {
    const [images = 0, width = 0] = gradient.shape;
    const each = r.mul(r.full(gradient), r.perCount(1, [r.dim(tokens)]));
    return r.graph.one("Expand", [r.reshape(each, [images, 1, width]), r.sizes(r.dims(out))], r.dims(out));
  },
};
