/** Sample calls as functions that an engine can load, with numbers to call them with. */
import type { EngineFunction, HostArray, TensorSpecs } from "../../runtime/engines/engine";
import { type Dense, dense } from "../../runtime/engines/reference/tensor";
import type { AnyTensor, F32, HostFormat, OpName, Ops, Shape, Tensor } from "../../runtime/ops/ops";
import { signatures } from "../../runtime/ops/signatures";
import { opSamples, type Sample, type SampleSize, type SampleTensor } from "./op-samples";

/** Numbers from a seed (mulberry32): only tests use it. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normalOf(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function sizesOf(shape: readonly SampleSize[], lengths: Readonly<Record<string, number>>): number[] {
  return shape.map((size) => {
    const value = typeof size === "number" ? size : lengths[size];
    if (value === undefined) throw new Error(`the sample has no length ${size}`);
    return value;
  });
}

export function sampleValues(
  { shape, holds }: SampleTensor,
  lengths: Readonly<Record<string, number>>,
  random: () => number,
): HostArray {
  const sizes = sizesOf(shape, lengths);
  const count = sizes.reduce((a, b) => a * b, 1);
  if (typeof holds === "object") return Int32Array.from({ length: count }, () => Math.floor(random() * holds.below));
  if (holds === "bytes") return Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
  if (holds === undefined) return Float32Array.from({ length: count }, () => normalOf(random));
  const positive = Float32Array.from({ length: count }, () => 0.05 + random());
  if (holds === "positive") return positive;
  const width = sizes.at(-1) ?? 1;
  return positive.map((value, i) => {
    const row = positive.subarray(i - (i % width), i - (i % width) + width);
    return value / row.reduce((a, b) => a + b, 0);
  });
}

/** Of what crosses from the host. */
function formatOf({ holds }: SampleTensor): HostFormat {
  if (typeof holds === "object") return "i32";
  return holds === "bytes" ? "u8" : "f32";
}

export interface DenseCall {
  readonly inputs: readonly Dense[];
  readonly attrs: Readonly<Record<string, number | boolean>>;
}

/** The sample of an op for the float64 reference; `factor` makes its normal numbers smaller. */
export function denseSample(op: OpName, seed: number, factor = 1): DenseCall {
  const { tensors, attrs, lengths = {} } = opSamples[op];
  const random = randomOf(seed);
  const inputs = tensors.map((tensor) => {
    const numbers = Float64Array.from(sampleValues(tensor, lengths, random));
    const values = tensor.holds === undefined ? numbers.map((value) => factor * value) : numbers;
    return dense(sizesOf(tensor.shape, lengths), values, formatOf(tensor));
  });
  return { inputs, attrs: resolvedAttrs(attrs, lengths) };
}

function resolvedAttrs(
  attrs: Readonly<Record<string, SampleSize | boolean>>,
  lengths: Readonly<Record<string, number>>,
): Readonly<Record<string, number | boolean>> {
  return Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => [
      name,
      typeof value === "string" ? (lengths[value] ?? Number.NaN) : value,
    ]),
  );
}

/** Calls an op by its name on tensors in order. */
export function callOp(ops: Ops, op: OpName, tensors: readonly AnyTensor[], attrs: object): readonly AnyTensor[] {
  const method = ops[op] as (...args: readonly unknown[]) => AnyTensor | readonly AnyTensor[];
  const result = signatures[op].inputs === "many" ? method(tensors, attrs) : method(...tensors, attrs);
  return Array.isArray(result) ? (result as readonly AnyTensor[]) : [result as AnyTensor];
}

export interface SampleCall {
  readonly fn: EngineFunction;
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly lengths: Readonly<Record<string, number>>;
}

const isBfloat16 = (tensor: AnyTensor): tensor is Tensor<"bf16", Shape> => tensor.dtype === "bf16";

/**
 * The sample of an op as a function with inputs `x.0`, `x.1`, … and outputs `y.0`, …; lengths fixed or not. What crosses
 * between host and engine is float32: samples in bfloat16 are cast on the way in, results in it on the way out.
 */
export function sampleCall(
  op: OpName,
  how: "fixed" | "symbolic",
  seed: number,
  { tensors, attrs, lengths = {} }: Sample<OpName> = opSamples[op],
): SampleCall {
  const random = randomOf(seed);
  const specs: TensorSpecs = new Map(
    tensors.map((tensor, i) => [
      `x.${i}`,
      {
        dtype: formatOf(tensor),
        shape: how === "fixed" ? sizesOf(tensor.shape, lengths) : tensor.shape,
      },
    ]),
  );
  const fn: EngineFunction = {
    name: op,
    reads: [],
    inputs: specs,
    lengths: how === "fixed" ? [] : Object.keys(lengths),
    run: (ops, _, inputs, current) => {
      const known = how === "fixed" ? lengths : current;
      const { x = [] } = inputs as { x?: readonly AnyTensor[] };
      // samples in bfloat16 hold numbers, no indices
      const given = x.map((tensor, i) =>
        tensors[i]?.format === undefined ? tensor : ops.toBf16(tensor as F32<Shape>),
      );
      const y = callOp(ops, op, given, resolvedAttrs(attrs, known)).map((tensor) =>
        isBfloat16(tensor) ? ops.toF32(tensor) : tensor,
      );
      return { state: {}, outputs: { y } };
    },
  };
  const inputs = new Map(tensors.map((tensor, i) => [`x.${i}`, sampleValues(tensor, lengths, random)]));
  return { fn, inputs, lengths: how === "fixed" ? {} : lengths };
}
