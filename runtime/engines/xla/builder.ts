/**
 * Writes a program as StableHLO text, one operation after the other (the specification: openxla.org/stablehlo/spec). It
 * knows the types of everything it writes, and folds away what does nothing; the rest is XLA's work.
 */
import type { AttentionKernel } from "./attention/kernel";
import { RecognizedAttention } from "./attention/recognized";
import { type ElementType, type TensorType, typeText } from "./pjrt/types";
import { bufferType, literal, same, sizeAt, type Value, type ValueType } from "./value";

export { sizeAt, type Value, type ValueType } from "./value";

type Unary = "abs" | "sign" | "negate" | "sqrt" | "rsqrt" | "exponential";
type Binary = "add" | "subtract" | "multiply" | "divide" | "maximum" | "minimum" | "remainder" | "and";

export interface Dot {
  readonly batch?: readonly [readonly number[], readonly number[]];
  readonly contract: readonly [readonly number[], readonly number[]];
}

/** How exactly products of float32 are to be taken: DEFAULT lets a GPU round their operands to TF32. */
export type ProductPrecision = "DEFAULT" | "HIGHEST";

/** What differs between devices. */
export interface BuilderSettings {
  readonly precision: ProductPrecision;
  /** Whether the backward pass makes anew what is made in passing of a tensor that it has; else it is kept for it. */
  readonly recomputes: boolean;
  /** Whether the operands of a product of bfloat16 are first brought into the order that the device's kernels read. */
  readonly ordersOperands: boolean;
  /** Devices that run the program together, each on its share of the batch; left out: one. */
  readonly replicas?: number;
  /** Whether products of bfloat16 hand on bfloat16, as PyTorch's autocast does; all but the gradients of weights. */
  readonly roundsProducts?: boolean;
  /** Left out: attention is computed as generated code writes it out. */
  readonly attention?: AttentionKernel<Builder>;
}

/** A function of a library that the plugin has. */
export interface CustomCall {
  readonly operands: readonly Value[];
  /** `layout`: the axes from the innermost in memory to the outermost. */
  readonly results: readonly (TensorType & { readonly layout: readonly number[] })[];
  readonly configuration: string;
}

export class Builder {
  readonly #lines: string[] = [];
  /** Values that were written before, by the text that makes them: the same operation is written once. */
  readonly #known = new Map<string, Value>();
  readonly #parameters = new Set<Value>();
  /** What a cast was made of. */
  readonly #convertedFrom = new Map<Value, Value>();
  /** Transposes and casts of them: XLA leaves such a value in the order of what it is a transpose of. */
  readonly #permuted = new Set<Value>();
  /** Undefined: no kernel computes it. */
  readonly attention: RecognizedAttention<Builder> | undefined;
  #names = 0;

  constructor(private readonly settings: BuilderSettings) {
    this.attention = settings.attention && new RecognizedAttention<Builder>(this, settings.attention);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  parameter(type: ElementType, shape: readonly number[]): Value {
    const value: Value = { name: `%${this.#names++}`, type, shape };
    this.#parameters.add(value);
    return value;
  }

  /** One operation; `text` is what stands behind its name. */
  #write(text: string, type: ValueType, shape: readonly number[]): Value {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value: Value = { name: `%${this.#names++}`, type, shape };
    this.#lines.push(`${value.name} = ${text}`);
    this.#known.set(text, value);
    return value;
  }

  // ── Constants ───────────────────────────────────────────────────────────────────────────────────────────────────

  scalar(value: number, type: ElementType = "f32"): Value {
    return this.#write(
      `stablehlo.constant dense<${literal(value, type)}> : ${typeText({ type, shape: [] })}`,
      type,
      [],
    );
  }

  /** One number everywhere. */
  filled(value: number, shape: readonly number[], type: ElementType = "f32"): Value {
    return this.broadcast(this.scalar(value, type), shape, []);
  }

  /** Each element is its place along an axis. */
  iota(shape: readonly number[], axis: number): Value {
    return this.#write(`stablehlo.iota dim = ${axis} : ${typeText({ type: "i32", shape })}`, "i32", shape);
  }

  // ── Elementwise ─────────────────────────────────────────────────────────────────────────────────────────────────

  unary(op: Unary, x: Value): Value {
    return this.#write(`stablehlo.${op} ${x.name} : ${typeText(x)}`, x.type, x.shape);
  }

  /** The error function; XLA has it, and every plugin reads the operation that JAX writes for it. */
  erf(x: Value): Value {
    return this.#write(`chlo.erf ${x.name} : ${typeText(x)} -> ${typeText(x)}`, x.type, x.shape);
  }

  /** A scalar on either side is repeated. */
  binary(op: Binary, a: Value, b: Value): Value {
    const shape = a.shape.length === 0 ? b.shape : a.shape;
    const [left, right] = [this.#spread(a, shape), this.#spread(b, shape)];
    if (left.type !== right.type) throw new Error(`internal: ${op} of ${typeText(left)} and ${typeText(right)}`);
    return this.#write(`stablehlo.${op} ${left.name}, ${right.name} : ${typeText(left)}`, left.type, shape);
  }

  #spread(x: Value, shape: readonly number[]): Value {
    if (same(x.shape, shape)) return x;
    if (x.shape.length > 0) throw new Error(`internal: ${typeText(x)} for [${shape.join(", ")}]`);
    return this.broadcast(x, shape, []);
  }

  add = (a: Value, b: Value): Value => this.binary("add", a, b);
  sub = (a: Value, b: Value): Value => this.binary("subtract", a, b);
  mul = (a: Value, b: Value): Value => this.binary("multiply", a, b);
  div = (a: Value, b: Value): Value => this.binary("divide", a, b);

  times(x: Value, factor: number): Value {
    return factor === 1 ? x : this.mul(x, this.scalar(factor));
  }

  /** Where both are equal, as 1 and 0 of the wanted type. */
  equal(a: Value, b: Value, type: ElementType): Value {
    const flags = this.#write(
      `stablehlo.compare EQ, ${a.name}, ${b.name}, SIGNED : (${typeText(a)}, ${typeText(b)}) -> ` +
        typeText({ type: "i1", shape: a.shape }),
      "i1",
      a.shape,
    );
    return this.convert(flags, type);
  }

  less(a: Value, b: Value): Value {
    const flags = typeText({ type: "i1", shape: a.shape });
    const text = `stablehlo.compare LT, ${a.name}, ${b.name}, FLOAT : (${typeText(a)}, ${typeText(b)}) -> ${flags}`;
    return this.#write(text, "i1", a.shape);
  }

  select(which: Value, yes: Value, no: Value): Value {
    const text = `stablehlo.select ${which.name}, ${yes.name}, ${no.name} : ${typeText(which)}, ${typeText(yes)}`;
    return this.#write(text, yes.type, yes.shape);
  }

  convert(x: Value, type: ElementType): Value {
    if (x.type === type) return x;
    const to = { type, shape: x.shape };
    const value = this.#write(`stablehlo.convert ${x.name} : (${typeText(x)}) -> ${typeText(to)}`, type, x.shape);
    this.#convertedFrom.set(value, x);
    if (this.#permuted.has(x)) this.#permuted.add(value);
    return value;
  }

  /** What a cast was made of; undefined for what is none. */
  convertedFrom(cast: Value): Value | undefined {
    return this.#convertedFrom.get(cast);
  }

  /**
   * The same numbers for the backward pass. Where it recomputes, XLA is not to see that they are the same: it would compute
   * once what both passes compute of them, and keep the result from the one to the other.
   */
  again(x: Value): Value {
    if (!this.settings.recomputes) return x;
    return this.#barrier(x);
  }

  #barrier(x: Value): Value {
    return this.#write(`stablehlo.optimization_barrier ${x.name} : ${typeText(x)}`, x.type, x.shape);
  }

  /**
   * A weight in bfloat16 as the backward pass reads it, beside the gradient that it is multiplied with. Generated code casts
   * the weight once more instead of keeping it (compiler/optimize/keep-bfloat16.ts), but XLA makes one of two equal casts,
   * and keeps it from the forward pass on. Where it recomputes, the second one is of what comes out of a barrier that the
   * gradient goes through too, so that it can be neither the first one nor made before it is wanted.
   */
  castAgain(cast: Value, beside: Value): Value {
    const from = this.convertedFrom(cast);
    if (!this.settings.recomputes || from === undefined || !this.#parameters.has(from)) return cast;
    const both = `${from.name}, ${beside.name} : ${typeText(from)}, ${typeText(beside)}`;
    const name = `%${this.#names++}`;
    this.#lines.push(`${name}:2 = stablehlo.optimization_barrier ${both}`);
    return this.convert({ ...from, name: `${name}#0` }, cast.type === "bf16" ? "bf16" : "f32");
  }

  // ── Form ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Axis i of x becomes axis dims[i] of the result; the others repeat it. */
  broadcast(x: Value, shape: readonly number[], dims: readonly number[]): Value {
    if (same(x.shape, shape)) return x;
    const to = typeText({ type: x.type, shape });
    const text = `stablehlo.broadcast_in_dim ${x.name}, dims = [${dims.join(", ")}] : (${typeText(x)}) -> ${to}`;
    return this.#write(text, x.type, shape);
  }

  /** A tensor whose axes are the last of the result's. */
  atLast(x: Value, shape: readonly number[]): Value {
    const offset = shape.length - x.shape.length;
    return this.broadcast(
      x,
      shape,
      x.shape.map((_, i) => offset + i),
    );
  }

  /** One whose axes are the first of the result's. */
  atFirst(x: Value, shape: readonly number[]): Value {
    return this.broadcast(
      x,
      shape,
      x.shape.map((_, i) => i),
    );
  }

  reshape(x: Value, shape: readonly number[]): Value {
    if (same(x.shape, shape)) return x;
    return this.#write(
      `stablehlo.reshape ${x.name} : (${typeText(x)}) -> ${typeText({ type: x.type, shape })}`,
      x.type,
      shape,
    );
  }

  /** As [everything else, last axis]. */
  rows(x: Value): Value {
    const width = sizeAt(x, -1);
    return this.reshape(x, [x.shape.slice(0, -1).reduce((a, b) => a * b, 1), width]);
  }

  transpose(x: Value, order: readonly number[]): Value {
    const shape = order.map((axis) => sizeAt(x, axis));
    const to = typeText({ type: x.type, shape });
    const text = `stablehlo.transpose ${x.name}, dims = [${order.join(", ")}] : (${typeText(x)}) -> ${to}`;
    const value = this.#write(text, x.type, shape);
    this.#permuted.add(value);
    return value;
  }

  /**
   * The same tensor, with its elements in memory in the order of its axes. XLA reads a transpose where its operand lies, and
   * so what is made of it, but not a reshape; the barrier keeps this one and the one back from cancelling out. The axis of
   * one entry in front costs XLA's loops nothing, a flat form a division for every element.
   */
  #inOrder(x: Value): Value {
    if (!this.#permuted.has(x)) return x;
    const inFront = this.reshape(x, [1, ...x.shape]);
    return this.reshape(this.#barrier(inFront), x.shape);
  }

  /** `size` places along an axis, beginning at `start`. */
  slice(x: Value, axis: number, start: number, size: number): Value {
    if (start === 0 && size === sizeAt(x, axis)) return x;
    const shape = x.shape.map((all, i) => (i === axis ? size : all));
    const ranges = x.shape.map((all, i) => (i === axis ? `${start}:${start + size}` : `0:${all}`));
    const to = typeText({ type: x.type, shape });
    return this.#write(`stablehlo.slice ${x.name} [${ranges.join(", ")}] : (${typeText(x)}) -> ${to}`, x.type, shape);
  }

  /** Zeros around x along an axis, so that there are `size` places and x begins at `start`. */
  pad(x: Value, axis: number, start: number, size: number): Value {
    const zero = this.scalar(0, bufferType(x));
    const after = size - start - sizeAt(x, axis);
    const shape = x.shape.map((all, i) => (i === axis ? size : all));
    const along = (value: number): string => `[${shape.map((_, i) => (i === axis ? value : 0)).join(", ")}]`;
    const text =
      `stablehlo.pad ${x.name}, ${zero.name}, low = ${along(start)}, high = ${along(after)}, ` +
      `interior = [${shape.map(() => 0).join(", ")}] : (${typeText(x)}, ${typeText(zero)}) -> ` +
      typeText({ type: x.type, shape });
    return this.#write(text, x.type, shape);
  }

  concat(parts: readonly Value[], axis: number): Value {
    const [first] = parts;
    if (first === undefined) throw new Error("internal: nothing to join");
    if (parts.length === 1) return first;
    const total = parts.reduce((sum, part) => sum + sizeAt(part, axis), 0);
    const shape = first.shape.map((size, i) => (i === axis ? total : size));
    const names = parts.map(({ name }) => name).join(", ");
    const text =
      `stablehlo.concatenate ${names}, dim = ${axis} : (${parts.map(typeText).join(", ")}) -> ` +
      typeText({ type: first.type, shape });
    return this.#write(text, first.type, shape);
  }

  // ── Sums, products, choices ─────────────────────────────────────────────────────────────────────────────────────

  reduce(op: "add" | "maximum", x: Value, axes: readonly number[]): Value {
    const shape = x.shape.filter((_, i) => !axes.includes(i));
    const start = this.scalar(op === "add" ? 0 : Number.NEGATIVE_INFINITY, bufferType(x));
    const text =
      `stablehlo.reduce(${x.name} init: ${start.name}) applies stablehlo.${op} across dimensions = ` +
      `[${axes.join(", ")}] : (${typeText(x)}, ${typeText(start)}) -> ${typeText({ type: x.type, shape })}`;
    return this.#write(text, x.type, shape);
  }

  /** The mean over the replicas of the program; of one alone it is the value itself. */
  meanOverReplicas(x: Value): Value {
    const { replicas = 1 } = this.settings;
    if (replicas === 1) return x;
    const group = Array.from({ length: replicas }, (_, i) => i).join(", ");
    const one = typeText({ type: x.type, shape: [] });
    const text =
      `"stablehlo.all_reduce"(${x.name}) <{replica_groups = dense<[[${group}]]> : tensor<1x${replicas}xi64>}> ` +
      `({ ^bb0(%a: ${one}, %b: ${one}): %s = stablehlo.add %a, %b : ${one} stablehlo.return %s : ${one} }) : ` +
      `(${typeText(x)}) -> ${typeText(x)}`;
    return this.times(this.#write(text, x.type, x.shape), 1 / replicas);
  }

  /** Sums over the last axis. */
  sumLast(x: Value): Value {
    return this.reduce("add", x, [x.shape.length - 1]);
  }

  /**
   * Products of float32 or of bfloat16; their sums are float32. Those of bfloat16 are exact in float32, so that there is
   * nothing to be more precise about. Axes: batch, the rest of a, the rest of b.
   */
  dot(a: Value, b: Value, axes: Dot): Value {
    return this.settings.ordersOperands && a.type === "bf16" ? this.#orderedDot(a, b, axes) : this.#dot(a, b, axes);
  }

  /** With the axes of the left one in the order batch, rest, summed, and both operands in the order of their axes in memory. */
  #orderedDot(a: Value, b: Value, { batch = [[], []], contract }: Dot): Value {
    const rest = a.shape.flatMap((_, i) => (batch[0].includes(i) || contract[0].includes(i) ? [] : [i]));
    const order = [...batch[0], ...rest, ...contract[0]];
    const left = order.every((axis, i) => axis === i) ? a : this.transpose(a, order);
    const at = (axis: number): number => order.indexOf(axis);
    return this.#dot(this.#inOrder(left), this.#inOrder(b), {
      batch: [batch[0].map(at), batch[1]],
      contract: [contract[0].map(at), contract[1]],
    });
  }

  #dot(a: Value, b: Value, { batch = [[], []], contract }: Dot): Value {
    const rest = (x: Value, side: 0 | 1): number[] =>
      x.shape.filter((_, i) => !batch[side].includes(i) && !contract[side].includes(i));
    const shape = [...batch[0].map((axis) => sizeAt(a, axis)), ...rest(a, 0), ...rest(b, 1)];
    const list = (axes: readonly number[]): string => `[${axes.join(", ")}]`;
    const precision = a.type === "bf16" ? "DEFAULT" : this.settings.precision;
    const batches = batch[0].length === 0 ? "" : ` batching_dims = ${list(batch[0])} x ${list(batch[1])},`;
    const text =
      `stablehlo.dot_general ${a.name}, ${b.name},${batches} contracting_dims = ${list(contract[0])} x ` +
      `${list(contract[1])}, precision = [${precision}, ${precision}] : ` +
      `(${typeText(a)}, ${typeText(b)}) -> ${typeText({ type: "f32", shape })}`;
    return this.#write(text, "f32", shape);
  }

  /** Operands lie in memory in the order of their axes. */
  customCall(target: string, { operands, results, configuration }: CustomCall): Value[] {
    const name = `%${this.#names++}`;
    const layout = (axes: readonly number[]): string => `dense<[${axes.join(", ")}]> : tensor<${axes.length}xindex>`;
    const inOrder = operands.map(({ shape }) => layout(shape.map((_, i) => shape.length - 1 - i)));
    const text = configuration.replaceAll("\\", "\\5C").replaceAll('"', "\\22");
    this.#lines.push(
      `${name}:${results.length} = stablehlo.custom_call @${target}(${operands.map((x) => x.name).join(", ")}) ` +
        `{api_version = 2 : i32, backend_config = "${text}", operand_layouts = [${inOrder.join(", ")}], ` +
        `result_layouts = [${results.map((result) => layout(result.layout)).join(", ")}]} : ` +
        `(${operands.map(typeText).join(", ")}) -> (${results.map(typeText).join(", ")})`,
    );
    return results.map(({ type, shape }, i) => ({ name: `${name}#${i}`, type, shape }));
  }

  /** A product whose result only other layers read. Where memory is what takes the time, it is written in half the bytes. */
  dotForLayers(a: Value, b: Value, what: Dot): Value {
    const sums = this.dot(a, b, what);
    const isRounded = this.settings.roundsProducts === true && a.type === "bf16";
    return isRounded ? this.convert(this.convert(sums, "bf16"), "f32") : sums;
  }

  /** Rows of [rows, width] by a list of any form: index.shape × width. */
  gatherRows(table: Value, index: Value): Value {
    const width = sizeAt(table, 1);
    const rank = index.shape.length;
    const shape = [...index.shape, width];
    const numbers =
      `#stablehlo.gather<offset_dims = [${rank}], collapsed_slice_dims = [0], start_index_map = [0], ` +
      `index_vector_dim = ${rank}>`;
    const text =
      `"stablehlo.gather"(${table.name}, ${index.name}) <{dimension_numbers = ${numbers}, ` +
      `indices_are_sorted = false, slice_sizes = array<i64: 1, ${width}>}> : ` +
      `(${typeText(table)}, ${typeText(index)}) -> ${typeText({ type: table.type, shape })}`;
    return this.#write(text, table.type, shape);
  }
}
