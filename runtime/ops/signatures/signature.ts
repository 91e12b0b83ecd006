/** What a signature is, and what the rules of the families share: reading the inputs, and refusing those that do not fit. */
import type { FormatRule } from "../formats";
import type { AttrsOf, OpName } from "../ops";

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
export function input<Axis>(op: string, inputs: Inputs<Axis>, i: number, rank?: number): readonly Axis[] {
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
export function axis<Axis>(op: string, inputs: Inputs<Axis>, shape: readonly Axis[], i: number): Axis {
  const found = shape.at(i);
  if (found === undefined) throw new ShapeError(op, inputs, `axis ${i} is missing`);
  return found;
}

export function same<Axis>(op: string, inputs: Inputs<Axis>, a: readonly Axis[], b: readonly Axis[]): void {
  if (a.length === b.length && a.every((value, i) => value === b[i])) return;
  throw new ShapeError(op, inputs, `shapes differ: ${shapeText(a)} and ${shapeText(b)}`);
}

/** Tensors of one shape, of at least `rank` axes. */
export function elementwise<K extends OpName>(op: K, count: number, rank = 0): Signature<K> {
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

/** [..., X] and vectors of X that go with it. */
export function withVectors<K extends OpName>(op: K, vectors: number): Signature<K> {
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

/** The signatures of some ops, as a family has them. */
export type Signatures = { readonly [K in OpName]?: Signature<K> };
