/** What an op is to the compiler: its formula, its cost and its gradient, in one object beside its shape rule. */
import type { OpName } from "../../runtime/ops/ops";
import type { AxisAttrs } from "../../runtime/ops/signatures";
import type { GraphBuilder, Value } from "../ir/graph";
import type { Num } from "../ir/number";

type Sizes = readonly number[];

/** What a gradient rule is given. */
export interface VjpContext<K extends OpName> {
  readonly graph: GraphBuilder;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attrs: AxisAttrs<K, Num>;
  /** Input number i; the rule's own arity makes sure that it is there. */
  input(i: number): Value;
  /** The gradient of the only output. */
  readonly gradient: Value;
  /** The gradients of all outputs, for ops with several. */
  readonly gradients: readonly Value[];
  /** Whether anybody wants the gradient of input i. */
  wants(i: number): boolean;
  /** The name that the gradient of input i should have. */
  name(i: number): string;
}

/** Gradients of the inputs, in their order; undefined where none is wanted or none exists. */
export type Vjp<K extends OpName> = (context: VjpContext<K>) => readonly (Value | undefined)[];

/** Of an op that treats every token alone: token t of its output is made of token t of its first `inputs` inputs. */
export interface Tokenwise {
  readonly inputs: number;
  /** Whether its other inputs are the same for all images, as weights are, or another for each. */
  readonly others: "of all images" | "of an image";
}

export interface Op<K extends OpName> {
  readonly name: K;
  /**
   * How it treats tokens, the second axis from the end: passes choose, copy and join tokens before such an op instead of
   * after it. Null where it mixes them, moves them, or has none.
   */
  readonly tokenwise: Tokenwise | null;
  /** The formula in index form. */
  readonly doc: string;
  /**
   * Sizes of inputs and outputs → operations. Every sum, product, quotient, comparison and square root counts as 1, an
   * exponential as 2, erf as 6. What is done once for a row or a column, for the scale of a product, or for the whole
   * tensor is left out.
   */
  flops(inputs: readonly Sizes[], outputs: readonly Sizes[]): number;
  /** The gradient rule, or the reason why there is none. */
  readonly vjp: Vjp<K> | { readonly why: string };
}

export function tokenwise(inputs: number, rest: Pick<Tokenwise, "others"> = { others: "of all images" }): Tokenwise {
  return { inputs, ...rest };
}

export const count = (shape: Sizes | undefined): number => (shape ?? []).reduce((product, size) => product * size, 1);

/** An op that does so many operations for every element of its first output. */
export function perElement(operations: number): Op<OpName>["flops"] {
  return (_, outputs) => operations * count(outputs[0]);
}

/** An op that does so many operations for every element of its first input. */
export function perInputElement(operations: number): Op<OpName>["flops"] {
  return (inputs) => operations * count(inputs[0]);
}

/** A matrix product: two operations for every element of the output and of the inner axis. */
export function ofProduct(inner: (inputs: readonly Sizes[]) => number): Op<OpName>["flops"] {
  return (inputs, outputs) => 2 * count(outputs[0]) * inner(inputs);
}

/** A gradient as an operand of products whose other operand is this one: in its number format. */
export function asOperand(graph: GraphBuilder, gradient: Value, other: Value): Value {
  return other.dtype === "bf16" ? graph.one("toBf16", [gradient], {}, `${gradient.name}Bf16`) : gradient;
}

/** The result where it is wanted. */
export function when<T>(wanted: boolean, make: () => T): T | undefined {
  return wanted ? make() : undefined;
}

export const isAGradient = (of: string): { readonly why: string } => ({
  why: `it is the gradient of ${of}; second derivatives are not needed`,
});
