/** The type of a total table over all ops, as every engine has one: an op without an entry does not compile. */
import type { AnyTensor, AttrsOf, OpName, Ops, Shape } from "../ops/ops";

type Replaced<A extends readonly unknown[], T> = A extends readonly [infer First, ...infer Rest]
  ? First extends AnyTensor
    ? readonly [T, ...Replaced<Rest, T>]
    : First extends readonly AnyTensor[]
      ? readonly T[]
      : readonly []
  : readonly [];

/** The tensors that op K takes, each as a T: `readonly [T, T, T]` for linear, `readonly T[]` for globalNorm. */
export type TensorsOf<K extends OpName, T> = Replaced<Parameters<Ops[K]>, T>;

/** Runs or records op K. `shapes` are those of its outputs; one result is given back for each. */
export type Kernel<K extends OpName, Context, T, Result> = (
  context: Context,
  inputs: TensorsOf<K, T>,
  attrs: AttrsOf<K>,
  shapes: readonly Shape[],
) => Result | readonly Result[];

export type KernelTable<Context, T, Result, Names extends OpName = OpName> = {
  readonly [K in Names]: Kernel<K, Context, T, Result>;
};

/** The entry of an op whose name is known only at run time. */
export function kernelOf<Context, T, Result>(
  table: KernelTable<Context, T, Result>,
  op: OpName,
): (context: Context, inputs: readonly T[], attrs: unknown, shapes: readonly Shape[]) => readonly Result[] {
  // The types of inputs and attributes were checked where generated code calls the op; here only its name is left.
  const kernel = table[op] as (context: Context, inputs: unknown, attrs: unknown, shapes: readonly Shape[]) => unknown;
  return (context, inputs, attrs, shapes) => {
    const result = kernel(context, inputs, attrs, shapes);
    return (Array.isArray(result) ? result : [result]) as readonly Result[];
  };
}
