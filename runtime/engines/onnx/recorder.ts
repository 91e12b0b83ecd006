/** What the lowerings of the ops build with: a graph, the lengths that are not known yet, and common small phrases. */
import type { AnyTensor, Shape } from "../../ops/ops";
import type { Place } from "../../step/share";
import { type Dim, productOf, sameDims } from "./dims";
import { type Attributes, Graph, producerOf, type Value } from "./graph";

/**
 * A tensor of the generated step while it is recorded. The value holds the same numbers in the same order, with the
 * axes either as in `shape` or flattened to rows, [everything else, last]: most ops do not care, so no reshape is made.
 */
export interface Handle extends AnyTensor {
  readonly value: Value;
}

export function isHandle(value: object): value is Handle {
  return "value" in value && "dtype" in value;
}

/** Mean and inverse deviation of rows, both [rows, 1]. */
export interface Statistics {
  readonly mean: Value;
  readonly inverseDeviation: Value;
}

/** scale · a · b per batch entry, either of them transposed. */
export interface Product {
  readonly a: Value;
  readonly b: Value;
  readonly scale: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

export class Recorder {
  readonly graph = new Graph();
  /** Statistics of layer norms that were already recorded, by value and eps. */
  readonly statistics = new Map<string, Statistics>();

  /** What linear layers were made of, by their result: an op that follows may want to make it otherwise. */
  readonly linears = new Map<Value, { readonly x: Value; readonly weight: Value; readonly bias: Value }>();

  /** What products of attention were made of, by their result. */
  readonly products = new Map<Value, Product>();

  /** What is reduced over devices, and what stands for the mean. */
  readonly reductions: { readonly from: Value; readonly to: Value }[] = [];

  /** Shards that the devices bring together, and what stands for the whole. */
  readonly gathers: { readonly from: Value; readonly to: Value }[] = [];

  /** Length number i is written as −1−i in shapes. `mostParts`: how many parts one node can cut a tensor into. */
  constructor(
    readonly lengthNames: readonly string[],
    private readonly mostParts = Number.POSITIVE_INFINITY,
    /** This device among those that share the batch. */
    readonly place: Place = { rank: 0, size: 1 },
  ) {}

  /** The mean of a value over devices: an input, since another graph begins behind it. */
  reduced(from: Value): Value {
    const known = this.reductions.find((reduction) => reduction.from === from);
    if (known !== undefined) return known.to;
    const to = this.graph.input(`reduced.${this.reductions.length}`, from.type, from.dims);
    this.reductions.push({ from, to });
    return to;
  }

  /** The tensor whose shards the devices hold: it lies in the store when the next graph begins. */
  gathered(from: Value, dims: readonly Dim[]): Value {
    const to = this.graph.input(`gathered.${this.gathers.length}`, from.type, dims);
    this.gathers.push({ from, to });
    return to;
  }

  dim(size: number): Dim {
    if (size >= 0) return size;
    const name = this.lengthNames[-1 - size];
    if (name === undefined) throw new Error(`internal: ${size} is not a size`);
    return name;
  }

  dims(shape: Shape): Dim[] {
    return shape.map((size) => this.dim(size));
  }

  /** With the axes of its shape. */
  full(handle: Handle): Value {
    return this.reshape(handle.value, this.dims(handle.shape));
  }

  /** As [rows, last axis]. */
  rows(handle: Handle): Value {
    const dims = this.dims(handle.shape);
    return this.reshape(handle.value, [productOf(dims.slice(0, -1)), dims.at(-1) ?? 1]);
  }

  /** All in the same form, as an elementwise op wants them: rows as soon as one of them is in rows. */
  alike(...handles: readonly Handle[]): Value[] {
    const [head] = handles;
    if (head === undefined) return [];
    if (handles.every(({ value }) => sameDims(value.dims, head.value.dims))) return handles.map(({ value }) => value);
    const asRows = handles.some(({ value, shape }) => shape.length !== 2 && value.dims.length === 2);
    return handles.map((handle) => (asRows ? this.rows(handle) : this.full(handle)));
  }

  reshape(value: Value, dims: readonly Dim[]): Value {
    if (sameDims(value.dims, dims)) return value;
    const before = producerOf(value, "Reshape")?.inputs[0];
    if (before) return this.reshape(before, dims);
    return this.graph.one("Reshape", [value, this.shapeFor(value, dims)], dims, {}, { type: value.type });
  }

  /** The target of a Reshape: 0 keeps a size, −1 is what is left, and sizes beyond that are computed. */
  private shapeFor(value: Value, dims: readonly Dim[]): Value {
    let free = true;
    const sizes = dims.map((dim, i) => {
      if (typeof dim === "number") return dim;
      if (value.dims[i] === dim) return 0;
      if (free) {
        free = false;
        return -1;
      }
      return dim;
    });
    return sizes.every((size) => typeof size === "number") ? this.graph.ints(sizes.map(Number)) : this.sizes(dims);
  }

  /** A list of sizes as int64, computed where a length is in it. */
  sizes(dims: readonly Dim[]): Value {
    if (dims.every((dim) => typeof dim === "number")) return this.graph.ints(dims.map(Number));
    const parts = dims.map((dim) => this.size(dim));
    return parts.length === 1 && parts[0]
      ? parts[0]
      : this.graph.one("Concat", parts, [dims.length], { axis: { int: 0 } }, { type: "i64" });
  }

  /** One size as int64 [1]. */
  size(dim: Dim): Value {
    if (typeof dim === "number") return this.graph.ints([dim]);
    const factors = dim.split("*").map((part) => {
      return /^\d+$/.test(part) ? this.graph.ints([Number(part)]) : this.graph.input(`length.${part}`, "i64", [1]);
    });
    return factors.reduce((a, b) => this.graph.one("Mul", [a, b], [1], {}, { type: "i64" }));
  }

  /** factor / (product of the sizes), a scalar. */
  perCount(factor: number, dims: readonly Dim[]): Value {
    const count = productOf(dims);
    if (typeof count === "number") return this.graph.scalar(factor / count);
    const size = this.reshape(this.size(count), []);
    const float = this.graph.one("Cast", [size], [], { to: { int: 1 } });
    return this.div(this.graph.scalar(factor), float);
  }

  // ── Elementwise, the first input's sizes being those of the result unless it is the smaller one ─────────────────

  binary(op: "Add" | "Sub" | "Mul" | "Div", a: Value, b: Value): Value {
    return this.graph.one(op, [a, b], broadcastDims(a.dims, b.dims), {}, { type: a.type });
  }
  add(a: Value, b: Value): Value {
    return this.binary("Add", a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary("Sub", a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary("Mul", a, b);
  }
  div(a: Value, b: Value): Value {
    return this.binary("Div", a, b);
  }
  times(a: Value, factor: number): Value {
    return factor === 1 ? a : this.mul(a, this.graph.scalar(factor));
  }
  unary(op: "Sqrt" | "Exp" | "Erf" | "Neg" | "Abs" | "Sign", x: Value): Value {
    return this.graph.one(op, [x], x.dims);
  }
  clip(x: Value, low: Value | null, high: Value): Value {
    return this.graph.one("Clip", [x, low, high], x.dims);
  }

  reduce(op: "ReduceSum" | "ReduceMean", x: Value, axes: readonly number[], keep: boolean): Value {
    const at = new Set(axes.map((axis) => (axis < 0 ? x.dims.length + axis : axis)));
    const dims = x.dims.flatMap((dim, i): Dim[] => (at.has(i) ? (keep ? [1] : []) : [dim]));
    return this.graph.one(op, [x, this.graph.ints([...at])], dims, { keepdims: { int: keep ? 1 : 0 } });
  }

  /** Equal parts along an axis. */
  split(x: Value, count: number, axis: number): readonly Value[] {
    const dims = x.dims.map((dim, i) => (i === axis ? Number(dim) / count : dim));
    return this.graph.node({
      op: "Split",
      inputs: [x],
      attributes: { axis: { int: axis }, num_outputs: { int: count } },
      outputs: new Array(count).fill({ dims }),
    });
  }

  /** Consecutive parts of a vector; in several rounds where they are more than one node can give. */
  cut(flat: Value, sizes: readonly number[]): readonly Value[] {
    let perGroup = 1;
    while (perGroup * this.mostParts < sizes.length) perGroup *= this.mostParts;
    const groups: (readonly number[])[] = [];
    for (let i = 0; i < sizes.length; i += perGroup) groups.push(sizes.slice(i, i + perGroup));
    const totals = groups.map((group) => group.reduce((a, b) => a + b, 0));
    const parts = this.graph.node({
      op: "Split",
      inputs: [flat, this.graph.ints(totals)],
      attributes: { axis: { int: 0 } },
      outputs: totals.map((size) => ({ dims: [size] })),
    });
    return parts.flatMap((part, i) => {
      const group = groups[i] ?? [];
      return group.length === 1 ? [part] : this.cut(part, group);
    });
  }

  transpose(x: Value, order: readonly number[]): Value {
    const dims = order.map((axis) => {
      const dim = x.dims[axis];
      if (dim === undefined) throw new Error(`internal: a transpose of [${x.dims.join()}] by ${order.join()}`);
      return dim;
    });
    return this.graph.one("Transpose", [x], dims, { perm: { ints: order } });
  }

  /** alpha · a · b (+ beta · c), both rows, either of them transposed. */
  gemm(
    a: Value,
    b: Value,
    options: {
      readonly transA?: boolean;
      readonly transB?: boolean;
      readonly alpha?: number;
      readonly c?: Value;
    } = {},
  ): Value {
    const { transA = false, transB = false, alpha = 1, c } = options;
    const m = a.dims[transA ? 1 : 0];
    const n = b.dims[transB ? 0 : 1];
    if (m === undefined || n === undefined) throw new Error("internal: a Gemm of something that is not rows");
    const attributes: Record<string, Attributes[string]> = {};
    if (transA) attributes.transA = { int: 1 };
    if (transB) attributes.transB = { int: 1 };
    if (alpha !== 1) attributes.alpha = { float: alpha };
    return this.graph.one("Gemm", c === undefined ? [a, b] : [a, b, c], [m, n], attributes);
  }

  /** Σ over rows of [rows, D], by a product with a row of ones or of the given weights [rows, 1]: [D]. */
  sumOfRows(rows: Value, weights?: Value): Value {
    const [count, width] = rows.dims;
    if (count === undefined || width === undefined) throw new Error("internal: a sum of rows of something else");
    const factors = weights === undefined ? this.ones(count) : this.reshape(weights, [1, count]);
    return this.reshape(this.graph.one("MatMul", [factors, rows], [1, width]), [width]);
  }

  private ones(count: Dim): Value {
    return typeof count === "number"
      ? this.graph.constant(new Float32Array(count).fill(1), [1, count])
      : this.graph.one("Expand", [this.graph.scalar(1), this.sizes([1, count])], [1, count]);
  }
}

function broadcastDims(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const offset = long.length - short.length;
  return long.map((dim, i) => {
    const other = i < offset ? 1 : (short[i - offset] ?? 1);
    return dim === 1 ? other : dim;
  });
}
