/**
 * What every op takes and gives: how many tensors, and the shapes and number formats of its outputs. One table serves the
 * compiler, whose axes are named, and the engines, whose axes are plain numbers; `Axis` is either.
 */
import { type FormatRule, indexed, operands, takes } from "./formats";
import type { AttrsOf, OpName } from "./ops";

/** The attributes of an op with axes of type `Axis` in the place of numbers. */
export type AxisAttrs<K extends OpName, Axis> = {
  readonly [A in keyof AttrsOf<K>]: AttrsOf<K>[A] extends number ? Axis : AttrsOf<K>[A];
};

export type ShapeRule<K extends OpName> = <Axis>(
  inputs: readonly (readonly Axis[])[],
  attrs: AxisAttrs<K, Axis>,
) => readonly (readonly Axis[])[];

export interface Signature<K extends OpName> {
  /** Tensors it takes; "many" is one list of any length. */
  readonly inputs: number | "many";
  readonly outputs: number;
  readonly shapes: ShapeRule<K>;
  /** Left out: float32 throughout. */
  readonly formats?: FormatRule;
  /** Of an op that may be called without attributes. */
  readonly attrs?: AttrsOf<K>;
}

/** Thrown when shapes do not fit: never the user's fault, always a wrong program. */
export class ShapeError extends Error {
  constructor(op: string, inputs: readonly (readonly unknown[])[], why: string) {
    super(`internal: ${op}(${inputs.map(shapeText).join(", ")}): ${why}`);
  }
}

function shapeText(shape: readonly unknown[]): string {
  return `[${shape.map(axisText).join(", ")}]`;
}

function axisText(axis: unknown): string {
  return typeof axis === "object" && axis !== null && "name" in axis ? String(axis.name) : String(axis);
}

type Inputs<Axis> = readonly (readonly Axis[])[];

/** Input number i: of exactly `rank` axes, of at least `-rank` where rank is negative, of any number where it is absent. */
function input<Axis>(op: string, inputs: Inputs<Axis>, i: number, rank?: number): readonly Axis[] {
  const shape = inputs[i];
  if (shape === undefined) throw new ShapeError(op, inputs, `input ${i} is missing`);
  if (rank !== undefined && (rank >= 0 ? shape.length !== rank : shape.length < -rank)) {
    const least = Math.abs(rank);
    const wanted = `${rank >= 0 ? "" : "at least "}${least} ${least === 1 ? "axis" : "axes"}`;
    throw new ShapeError(op, inputs, `input ${i} should have ${wanted}`);
  }
  return shape;
}

/** Axis number i; negative from the end. */
function axis<Axis>(op: string, inputs: Inputs<Axis>, shape: readonly Axis[], i: number): Axis {
  const found = shape.at(i);
  if (found === undefined) throw new ShapeError(op, inputs, `axis ${i} is missing`);
  return found;
}

function same<Axis>(op: string, inputs: Inputs<Axis>, a: readonly Axis[], b: readonly Axis[]): void {
  if (a.length === b.length && a.every((value, i) => value === b[i])) return;
  throw new ShapeError(op, inputs, `shapes differ: ${shapeText(a)} and ${shapeText(b)}`);
}

/** Tensors of one shape, of at least `rank` axes. */
function elementwise<K extends OpName>(op: K, count: number, rank = 0): Signature<K> {
  return {
    inputs: count,
    outputs: 1,
    shapes: (inputs) => {
      const first = input(op, inputs, 0, rank === 0 ? undefined : -rank);
      for (let i = 1; i < count; i++) same(op, inputs, first, input(op, inputs, i, first.length));
      return [first];
    },
  };
}

function lossOf<K extends OpName>(op: K): Signature<K> {
  return {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      same(op, inputs, input(op, inputs, 0, -1), input(op, inputs, 1));
      return [[]];
    },
  };
}

function product<K extends "matmul" | "matmulNT" | "matmulTN">(op: K, transA: boolean, transB: boolean): Signature<K> {
  return {
    inputs: 2,
    outputs: 1,
    formats: operands,
    attrs: { scale: 1 } as AttrsOf<K>, // the attributes of all three
    shapes: (inputs) => {
      const a = input(op, inputs, 0, -2);
      const b = input(op, inputs, 1, a.length);
      same(op, inputs, a.slice(0, -2), b.slice(0, -2));
      const inner = axis(op, inputs, a, transA ? -2 : -1);
      same(op, inputs, [inner], [axis(op, inputs, b, transB ? -1 : -2)]);
      return [[...a.slice(0, -2), axis(op, inputs, a, transA ? -1 : -2), axis(op, inputs, b, transB ? -2 : -1)]];
    },
  };
}

/** [..., X] and vectors of X that go with it. */
function withVectors<K extends OpName>(op: K, vectors: number): Signature<K> {
  return {
    inputs: 1 + vectors,
    outputs: 1,
    shapes: (inputs) => {
      const x = input(op, inputs, 0, -1);
      for (let i = 1; i <= vectors; i++) same(op, inputs, x.slice(-1), input(op, inputs, i, 1));
      return [x];
    },
  };
}

/** Total: an op without a line here does not compile. */
export const signatures: { readonly [K in OpName]: Signature<K> } = {
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
  linear: {
    inputs: 3,
    outputs: 1,
    formats: operands,
    shapes: (inputs) => {
      const x = input("linear", inputs, 0, -1);
      const weight = input("linear", inputs, 1, 2);
      same("linear", inputs, x.slice(-1), weight.slice(0, 1));
      same("linear", inputs, weight.slice(1), input("linear", inputs, 2, 1));
      return [[...x.slice(0, -1), ...weight.slice(1)]];
    },
  },
  linearGradInput: {
    inputs: 2,
    outputs: 1,
    formats: operands,
    shapes: (inputs) => {
      const gradient = input("linearGradInput", inputs, 0, -1);
      const weight = input("linearGradInput", inputs, 1, 2);
      same("linearGradInput", inputs, gradient.slice(-1), weight.slice(1));
      return [[...gradient.slice(0, -1), ...weight.slice(0, 1)]];
    },
  },
  linearGradWeight: {
    inputs: 2,
    outputs: 1,
    formats: operands,
    shapes: (inputs) => {
      const x = input("linearGradWeight", inputs, 0, -1);
      const gradient = input("linearGradWeight", inputs, 1, x.length);
      same("linearGradWeight", inputs, x.slice(0, -1), gradient.slice(0, -1));
      return [[...x.slice(-1), ...gradient.slice(-1)]];
    },
  },
  sumRows: { inputs: 1, outputs: 1, shapes: (inputs) => [input("sumRows", inputs, 0, -1).slice(-1)] },
  layerNorm: withVectors("layerNorm", 2),
  layerNormGrad: {
    inputs: 3,
    outputs: 3,
    shapes: (inputs) => {
      const gradient = input("layerNormGrad", inputs, 0, -1);
      const gain = input("layerNormGrad", inputs, 2, 1);
      same("layerNormGrad", inputs, gradient, input("layerNormGrad", inputs, 1, gradient.length));
      same("layerNormGrad", inputs, gradient.slice(-1), gain);
      return [gradient, gain, gain];
    },
  },
  normalize: elementwise("normalize", 1, 1),
  normalizeGrad: elementwise("normalizeGrad", 2, 1),
  gelu: elementwise("gelu", 1),
  geluGrad: elementwise("geluGrad", 2),
  splitHeads: {
    inputs: 1,
    outputs: 3,
    shapes: (inputs, { heads, headWidth }) => {
      const qkv = input("splitHeads", inputs, 0, 3);
      const part = [axis("splitHeads", inputs, qkv, 0), heads, axis("splitHeads", inputs, qkv, 1), headWidth];
      return [part, part, part];
    },
  },
  joinHeads: {
    inputs: 3,
    outputs: 1,
    shapes: (inputs, { width }) => {
      const q = input("joinHeads", inputs, 0, 4);
      same("joinHeads", inputs, q, input("joinHeads", inputs, 1, 4));
      same("joinHeads", inputs, q, input("joinHeads", inputs, 2, 4));
      return [[axis("joinHeads", inputs, q, 0), axis("joinHeads", inputs, q, 2), width]];
    },
  },
  mergeHeads: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { width }) => {
      const x = input("mergeHeads", inputs, 0, 4);
      return [[axis("mergeHeads", inputs, x, 0), axis("mergeHeads", inputs, x, 2), width]];
    },
  },
  unmergeHeads: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { heads, headWidth }) => {
      const x = input("unmergeHeads", inputs, 0, 3);
      return [[axis("unmergeHeads", inputs, x, 0), heads, axis("unmergeHeads", inputs, x, 1), headWidth]];
    },
  },
  matmul: product("matmul", false, false),
  matmulNT: product("matmulNT", false, true),
  matmulTN: product("matmulTN", true, false),
  softmax: elementwise("softmax", 1, 1),
  softmaxGrad: elementwise("softmaxGrad", 2, 1),
  add: elementwise("add", 2),
  addVector: withVectors("addVector", 1),
  addTable: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      const x = input("addTable", inputs, 0, 3);
      same("addTable", inputs, x.slice(1), input("addTable", inputs, 1, 2));
      return [x];
    },
  },
  sumBatch: { inputs: 1, outputs: 1, shapes: (inputs) => [input("sumBatch", inputs, 0, 3).slice(1)] },
  scale: elementwise("scale", 1),
  scaleBy: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      input("scaleBy", inputs, 1, 0);
      return [input("scaleBy", inputs, 0)];
    },
  },
  scaleRows: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      const x = input("scaleRows", inputs, 0, -1);
      same("scaleRows", inputs, x.slice(0, 1), input("scaleRows", inputs, 1, 1));
      return [x];
    },
  },
  one: { inputs: 0, outputs: 1, shapes: () => [[]] },
  toBf16: { ...elementwise("toBf16", 1), formats: takes(["f32"], "bf16") },
  toF32: { ...elementwise("toF32", 1), formats: takes(["bf16"]) },
  smoothL1: lossOf("smoothL1"),
  smoothL1Grad: elementwise("smoothL1Grad", 2),
  mse: lossOf("mse"),
  mseGrad: elementwise("mseGrad", 2),
  globalNorm: { inputs: "many", outputs: 1, shapes: () => [[]] },
  clipFactor: { inputs: 1, outputs: 1, shapes: (inputs) => [input("clipFactor", inputs, 0, 0)] },
  allReduce: elementwise("allReduce", 1),
  shard: {
    inputs: 1,
    outputs: 1,
    shapes: (inputs, { length }) => {
      input("shard", inputs, 0);
      return [[length]];
    },
  },
  allGather: {
    inputs: 2,
    outputs: 1,
    shapes: (inputs) => {
      input("allGather", inputs, 0, 1);
      return [input("allGather", inputs, 1)];
    },
  },
  adamw: {
    inputs: 7,
    outputs: 3,
    shapes: (inputs) => {
      const weight = input("adamw", inputs, 0);
      for (let i = 1; i < 4; i++) same("adamw", inputs, weight, input("adamw", inputs, i, weight.length));
      for (let i = 4; i < 7; i++) input("adamw", inputs, i, 0);
      return [weight, weight, weight];
    },
  },
  ema: {
    inputs: 4,
    outputs: 1,
    shapes: (inputs) => {
      const target = input("ema", inputs, 0);
      same("ema", inputs, target, input("ema", inputs, 1, target.length));
      for (let i = 2; i < 4; i++) input("ema", inputs, i, 0);
      return [target];
    },
  },
};

/** Whether an op is a product of two matrices, the first two of its inputs, which have one number format. */
export const isProduct = (op: OpName): boolean => signatures[op].formats === operands;
