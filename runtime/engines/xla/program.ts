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
  /** mean: what the program before this one has given to be reduced, by its number. */
  readonly from: "state" | "input" | "mean";
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
  /** How many results after those the processes reduce before the next program. */
  readonly reduced: number;
  readonly types: ProgramTypes;
}

export interface ProgramOptions {
  /** What the store holds. */
  readonly state: TensorSpecs;
  readonly lengths: LengthValues;
  readonly settings: BuilderSettings;
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
  return { dtype: dtypeOf(value), shape: value.shape, value };
}

function dtypeOf(value: Value): Dtype {
  const dtype = dtypes[value.type];
  if (dtype === null) throw new Error(`internal: an op gives ${typeText(value)}`);
  return dtype;
}

/** What is given to a function, and under which name it stands in the text. */
export interface Given {
  readonly parameter: Parameter;
  readonly value: Value;
}

type Leaf = readonly [path: string, value: Value];

/** A function as it was written down, before it is a program. */
export interface Written {
  readonly name: string;
  readonly lines: readonly string[];
  readonly given: readonly Given[];
  /** Values that ops or results read. */
  readonly read: ReadonlySet<Value>;
  readonly replaced: readonly Leaf[];
  readonly outputs: readonly Leaf[];
  /** Where it was cut: what is to be reduced, and what stands for the result. */
  readonly cuts: readonly { readonly from: Value; readonly to: Given }[];
}

/** `isCut`: reductions leave the program, since other processes have programs of their own. */
export function written(fn: EngineFunction, { state, lengths, settings }: ProgramOptions, isCut = false): Written {
  const b = new Builder(settings);
  const given: Given[] = [];
  const cuts: { readonly from: Value; readonly to: Given }[] = [];
  const declare = (from: Parameter["from"], path: string, spec: TensorSpec | undefined): [string, Handle] => {
    if (spec === undefined) throw new Error(`internal: there is no tensor ${path}`);
    const shape = spec.shape.map((size) => (typeof size === "number" ? size : lengthOf(fn, lengths, size)));
    const type = stored[spec.dtype];
    const value = b.parameter(type, shape);
    given.push({ parameter: { from, path, type, shape }, value });
    return [path, handleOf(value)];
  };
  const stateHandles = fn.reads.map((path) => declare("state", path, state.get(path)));
  const inputHandles = [...fn.inputs].map(([path, spec]) => declare("input", path, spec));

  const cutAt = (from: Value): Value => {
    const { shape } = from;
    const type = stored[dtypeOf(from)];
    const value = b.parameter(type, shape);
    cuts.push({ from, to: { parameter: { from: "mean", path: String(cuts.length), type, shape }, value } });
    return value;
  };
  const read = new Set<Value>();
  const ops = opsFor<Handle>((op, inputs, attrs, shapes, dtype) => {
    const values = inputs.map(({ value }) => value);
    for (const value of values) read.add(value);
    const lowered = kernelOf(lowerings, op)(b, values, attrs, shapes);
    const made = isCut && op === "allReduce" ? lowered.map(cutAt) : lowered;
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
  const leaves = (tree: object): Leaf[] => leavesOf(tree, isHandle).map(([path, { value }]) => [path, value]);
  const replaced = leaves(result.state);
  const outputs = leaves(result.outputs);
  for (const [, value] of [...replaced, ...outputs]) read.add(value);
  return { name: fn.name, lines: b.lines, given, read, replaced, outputs, cuts };
}

export function programOf(fn: EngineFunction, options: ProgramOptions): Program {
  const { cuts: _, ...whole } = written(fn, options);
  return assembled({ ...whole, reduced: [] }, options.settings);
}

export interface Part extends Omit<Written, "cuts"> {
  readonly reduced: readonly Value[];
}

export function assembled(part: Part, { replicas = 1 }: BuilderSettings): Program {
  const { name, lines, given, read, replaced, outputs, reduced } = part;
  const results = [...replaced, ...outputs].map(([, value]) => value).concat(reduced);
  const places = new Map(replaced.map(([path], i) => [path, i]));
  const used = given.filter(({ parameter: { from, path }, value }) => {
    // What is replaced is taken although nothing reads it: its memory is the result's.
    return read.has(value) || (from === "state" && places.has(path));
  });
  const head = used.map(({ parameter, value }) => {
    const place = parameter.from === "state" ? places.get(parameter.path) : undefined;
    return `${value.name}: ${typeText(value)}${place === undefined ? "" : ` {tf.aliasing_output = ${place} : i32}`}`;
  });
  const resultTypes = results.map(typeText).join(", ");
  const attributes = replicas === 1 ? "" : ` attributes {mhlo.num_replicas = ${replicas} : i32}`;
  const text = [
    `module @${name.replace(/\W/g, "_")}${attributes} {`,
    `  func.func public @main(${head.join(", ")}) -> (${resultTypes}) {`,
    ...lines.map((line) => `    ${line}`),
    `    return${results.length === 0 ? "" : ` ${results.map((value) => value.name).join(", ")} : ${resultTypes}`}`,
    "  }",
    "}",
    "",
  ].join("\n");
  const parameters = used.map(({ parameter }) => parameter);
  return {
    name,
    text,
    parameters,
    replaced: replaced.map(([path]) => path),
    outputs: outputs.map(([path]) => path),
    reduced: reduced.length,
    types: {
      parameters,
      results: results.map((value) => ({ type: stored[dtypeOf(value)], shape: value.shape })),
    },
  };
}

function lengthOf(fn: EngineFunction, lengths: LengthValues, name: string): number {
  const length = lengths[name];
  if (length === undefined) throw new Error(`internal: ${fn.name} was given no length ${name}`);
  return length;
}
