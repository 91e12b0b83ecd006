/** From a generated function and its lengths to a program of StableHLO: the function is called once with handles. */
import { opsFor } from "../../ops/adapter";
import type { AnyTensor, Dtype } from "../../ops/ops";
import { leavesOf, treeOf } from "../../ops/tree";
import type { EngineFunction, TensorSpec, TensorSpecs } from "../engine";
import { kernelOf } from "../table";
import { Builder, type BuilderSettings, type Value, type ValueType } from "./builder";
import { lowerings } from "./lowering/table";
import type { ProgramTypes } from "./pjrt/executable";
import { type ElementType, type TensorType, typeText } from "./pjrt/types";

export type LengthValues = Readonly<Record<string, number>>;

export interface Parameter extends TensorType {
  readonly from: "state" | "input";
  readonly path: string;
}

export interface Program {
  readonly name: string;
  readonly text: string;
  /** Arguments in their order; only those that the program reads. */
  readonly parameters: readonly Parameter[];
  /** Paths of the store that results replace: the first results, in this order. */
  readonly replaced: readonly string[];
  /** Paths of what a call returns: the results after those. */
  readonly outputs: readonly string[];
  readonly types: ProgramTypes;
}

interface Handle extends AnyTensor {
  readonly value: Value;
}

const isHandle = (value: object): value is Handle => "value" in value && "dtype" in value;

/** How tensors of the generated code lie in memory. */
const stored: { readonly [D in Dtype]: ElementType } = { f32: "f32", bf16: "bf16", i32: "i32", u8: "ui8" };

/** Which of them a value is; null: none, it only stands between others. */
const dtypes: { readonly [T in ValueType]: Dtype | null } = {
  f32: "f32",
  i32: "i32",
  bf16: "bf16",
  ui8: "u8",
  i1: null,
};

function handleOf(value: Value): Handle {
  const dtype = dtypes[value.type];
  if (dtype === null) throw new Error(`internal: an op gives ${typeText(value)}`);
  return { dtype, shape: value.shape, value };
}

export function programOf(
  fn: EngineFunction,
  {
    state,
    lengths,
    settings,
  }: {
    /** What the store holds. */
    readonly state: TensorSpecs;
    readonly lengths: LengthValues;
    readonly settings: BuilderSettings;
  },
): Program {
  const b = new Builder(settings);
  const given: { readonly parameter: Parameter; readonly handle: Handle }[] = [];
  const declare = (from: Parameter["from"], path: string, spec: TensorSpec | undefined): [string, Handle] => {
    if (spec === undefined) throw new Error(`internal: there is no tensor ${path}`);
    const shape = spec.shape.map((size) => (typeof size === "number" ? size : lengthOf(fn, lengths, size)));
    const type = stored[spec.dtype];
    const handle = handleOf(b.parameter(type, shape));
    given.push({ parameter: { from, path, type, shape }, handle });
    return [path, handle];
  };
  const stateHandles = fn.reads.map((path) => declare("state", path, state.get(path)));
  const inputHandles = [...fn.inputs].map(([path, spec]) => declare("input", path, spec));

  const read = new Set<Value>();
  const ops = opsFor<Handle>((op, inputs, attrs, shapes, dtype) => {
    const values = inputs.map(({ value }) => value);
    for (const value of values) read.add(value);
    const made = kernelOf(lowerings, op)(b, values, attrs, shapes);
    return shapes.map((shape, i) => {
      const value = made[i];
      if (value === undefined) throw new Error(`internal: ${op} gave too little`);
      if (value.shape.length !== shape.length || shape.some((size, axis) => size !== value.shape[axis])) {
        throw new Error(`internal: ${op} made [${value.shape.join(", ")}], not [${shape.join(", ")}]`);
      }
      const handle = handleOf(value);
      if (handle.dtype !== dtype) throw new Error(`internal: ${op} made ${handle.dtype}, not ${dtype}`);
      return handle;
    });
  });
  const fixed = Object.fromEntries(fn.lengths.map((name) => [name, lengthOf(fn, lengths, name)]));
  const result = fn.run(ops, treeOf(stateHandles), treeOf(inputHandles), fixed);
  const replaced = leavesOf(result.state, isHandle);
  const outputs = leavesOf(result.outputs, isHandle);
  const results = [...replaced, ...outputs].map(([, { value }]) => value);
  for (const value of results) read.add(value);

  const places = new Map(replaced.map(([path], i) => [path, i]));
  const used = given.filter(({ parameter: { from, path }, handle: { value } }) => {
    // What is replaced is taken although nothing reads it: its memory is the result's.
    return read.has(value) || (from === "state" && places.has(path));
  });
  const head = used.map(({ parameter, handle: { value } }) => {
    const place = parameter.from === "state" ? places.get(parameter.path) : undefined;
    return `${value.name}: ${typeText(value)}${place === undefined ? "" : ` {tf.aliasing_output = ${place} : i32}`}`;
  });
  const resultTypes = results.map(typeText).join(", ");
  const text = [
    `module @${fn.name.replace(/\W/g, "_")} {`,
    `  func.func public @main(${head.join(", ")}) -> (${resultTypes}) {`,
    ...b.lines.map((line) => `    ${line}`),
    `    return${results.length === 0 ? "" : ` ${results.map(({ name }) => name).join(", ")} : ${resultTypes}`}`,
    "  }",
    "}",
    "",
  ].join("\n");
  const parameters = used.map(({ parameter }) => parameter);
  return {
    name: fn.name,
    text,
    parameters,
    replaced: replaced.map(([path]) => path),
    outputs: outputs.map(([path]) => path),
    types: {
      parameters,
      results: [...replaced, ...outputs].map(([, { dtype, shape }]) => ({ type: stored[dtype], shape })),
    },
  };
}

function lengthOf(fn: EngineFunction, lengths: LengthValues, name: string): number {
  const length = lengths[name];
  if (length === undefined) throw new Error(`internal: ${fn.name} was given no length ${name}`);
  return length;
}
