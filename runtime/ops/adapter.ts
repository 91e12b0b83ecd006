/** Turns one function of an engine, "apply this op", into the typed op interface that generated code calls. */
import { float32 } from "./formats";
import type { AnyTensor, Dtype, OpName, Ops, Shape } from "./ops";
import { ShapeError, signatures } from "./signatures";

/** Any value an op's attributes can hold. */
export type AttrValue = number | boolean;
export type Attrs = Readonly<Record<string, AttrValue>>;

/** Runs or records one op. `shapes` and `dtype` are those of the outputs; there is one tensor to give back for each. */
export type ApplyOp<T extends AnyTensor> = (
  op: OpName,
  inputs: readonly T[],
  attrs: Attrs,
  shapes: readonly Shape[],
  dtype: Dtype,
) => readonly T[];

/** The shapes of an op's outputs, for axes of any kind; throws ShapeError where the inputs do not fit. */
export function outputShapes<Axis>(
  op: OpName,
  inputs: readonly (readonly Axis[])[],
  attrs: Readonly<Record<string, Axis | boolean>>,
): readonly (readonly Axis[])[] {
  const { inputs: wanted, shapes } = signatures[op];
  if (wanted === "many" ? inputs.length === 0 : inputs.length !== wanted) {
    const tensors = wanted === "many" ? "one tensor or more" : `${wanted} tensor${wanted === 1 ? "" : "s"}`;
    throw new ShapeError(op, inputs, `takes ${tensors}; found ${inputs.length}`);
  }
  // The table is typed per op; here the op is only known at run time.
  const rule = shapes as (
    inputs: readonly (readonly Axis[])[],
    attrs: Readonly<Record<string, Axis | boolean>>,
  ) => readonly (readonly Axis[])[];
  return rule(inputs, attrs);
}

/** The number format of an op's outputs; throws FormatError where the inputs do not fit. */
export function outputFormat(op: OpName, inputs: readonly Dtype[]): Dtype {
  const { formats = float32 } = signatures[op];
  return formats(op, inputs);
}

export function opsFor<T extends AnyTensor>(apply: ApplyOp<T>): Ops {
  const call = (op: OpName, args: readonly unknown[]): unknown => {
    const { inputs: arity, outputs, attrs: usual = {} } = signatures[op];
    const tensors = (arity === "many" ? args[0] : args.slice(0, arity)) as readonly T[];
    const attrs = (args[arity === "many" ? 1 : arity] ?? usual) as Attrs;
    const shapes = outputShapes(
      op,
      tensors.map((tensor) => tensor.shape),
      attrs,
    );
    const dtype = outputFormat(
      op,
      tensors.map((tensor) => tensor.dtype),
    );
    const results = apply(op, tensors, attrs, shapes, dtype);
    return outputs === 1 ? results[0] : results;
  };
  // One closure per name of the total table, so the record has every method of Ops; the types of the arguments are
  // checked where generated code calls them.
  return Object.fromEntries(
    Object.keys(signatures).map((op) => [op, (...args: unknown[]) => call(op as OpName, args)]),
  ) as unknown as Ops;
}
