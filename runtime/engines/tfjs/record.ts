/**
 * Records a generated function: calls it once with symbolic handles and lists its ops. What varies from program to program
 * stays open as a negative size −1−i, for length number i; `resolved` puts numbers there.
 */
import { type Attrs, opsFor } from "../../ops/adapter";
import { type Releases, releasesOf } from "../../ops/liveness";
import type { AnyTensor, AttrsOf, Dtype, HostFormat, OpName, Shape } from "../../ops/ops";
import { leavesOf, treeOf } from "../../ops/tree";
import type { EngineFunction, TensorSpecs } from "../engine";

/** A value of the function; handles are the same object wherever the value is read. */
export interface Handle extends AnyTensor {
  readonly id: number;
}

export interface RecordedOp {
  readonly op: OpName;
  readonly inputs: readonly Handle[];
  readonly attrs: Attrs;
  readonly outputs: readonly Handle[];
}

export interface Named {
  readonly path: string;
  readonly handle: Handle;
}

export interface Recording {
  readonly name: string;
  readonly lengths: readonly string[];
  readonly ops: readonly RecordedOp[];
  /** Tensors of the store that it reads or replaces. */
  readonly state: readonly Named[];
  /** What a call gives; only those that are read. */
  readonly inputs: readonly (Named & { readonly dtype: HostFormat })[];
  /** What comes into the store. */
  readonly replaced: readonly Named[];
  readonly outputs: readonly Named[];
  /** Inputs, replaced tensors of the store, and everything that is made; never what the store keeps. */
  readonly releases: Releases<Handle>;
}

type AttrName = { [K in OpName]: keyof AttrsOf<K> }[OpName];

/** Which attributes count along an axis, so that a negative one stands for a length. */
const isCount: Readonly<Record<AttrName, boolean>> = {
  patch: true,
  tokens: true,
  values: true,
  length: true,
  images: true,
  start: true,
  width: true,
  copies: true,
  rows: true,
  blocks: true,
  heads: true,
  headWidth: true,
  by: false,
  scale: false,
  eps: false,
  max: false,
  weight: false,
  gamma: false,
  beta: false,
  beta1: false,
  beta2: false,
  decay: false,
};

export function record(fn: EngineFunction, stored: TensorSpecs): Recording {
  let ids = 0;
  const handleOf = (dtype: Dtype, shape: Shape): Handle => ({ id: ids++, dtype, shape });
  const lengths = Object.fromEntries(fn.lengths.map((name, i) => [name, -1 - i]));
  const shapeOf = (path: string, specs: TensorSpecs): Shape => {
    const spec = specs.get(path);
    if (spec === undefined) throw new Error(`internal: there is no tensor ${path}`);
    return spec.shape.map((size) => (typeof size === "number" ? size : (lengths[size] ?? Number.NaN)));
  };
  const state = fn.reads.map((path): Named => ({ path, handle: handleOf("f32", shapeOf(path, stored)) }));
  const inputs = [...fn.inputs].map(([path, { dtype }]) => {
    return { path, dtype, handle: handleOf(dtype, shapeOf(path, fn.inputs)) };
  });

  const all: RecordedOp[] = [];
  const ops = opsFor<Handle>((op, tensors, attrs, shapes, dtype) => {
    const outputs = shapes.map((shape) => handleOf(dtype, shape));
    all.push({ op, inputs: tensors, attrs, outputs });
    return outputs;
  });
  const tree = (named: readonly Named[]) => treeOf(named.map(({ path, handle }): [string, Handle] => [path, handle]));
  const result = fn.run(ops, tree(state), tree(inputs), lengths);
  const named = (of: unknown): Named[] => leavesOf(of, isHandle).map(([path, handle]) => ({ path, handle }));
  const replaced = named(result.state);
  const outputs = named(result.outputs);

  const kept = new Set([...replaced, ...outputs].map(({ handle }) => handle));
  const needed = neededOps(all, kept);
  const read = new Set([...kept, ...needed.flatMap((each) => each.inputs)]);
  const givesWay = new Set(replaced.map(({ path }) => path));
  const given = [...inputs, ...state.filter(({ path }) => givesWay.has(path))]
    .map(({ handle }) => handle)
    .filter((handle) => read.has(handle));
  return {
    name: fn.name,
    lengths: fn.lengths,
    ops: needed,
    state: state.filter(({ handle }) => read.has(handle)),
    inputs: inputs.filter(({ handle }) => read.has(handle)),
    replaced,
    outputs,
    releases: releasesOf(needed, { given, kept }),
  };
}

function isHandle(value: object): value is Handle {
  return "id" in value && "dtype" in value;
}

/** The ops that lead to the results. */
function neededOps(ops: readonly RecordedOp[], results: ReadonlySet<Handle>): RecordedOp[] {
  const wanted = new Set(results);
  return ops
    .toReversed()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((output) => wanted.has(output))) return false;
      for (const input of inputs) wanted.add(input);
      return true;
    })
    .toReversed();
}

export interface ResolvedOp {
  readonly attrs: Attrs;
  /** Of the outputs. */
  readonly shapes: readonly Shape[];
}

/** Attributes and shapes of every op for given lengths. */
export function resolved(
  { name, ops, lengths }: Recording,
  values: Readonly<Record<string, number>>,
): readonly ResolvedOp[] {
  const sizes = lengths.map((length) => {
    const value = values[length];
    if (value === undefined) throw new Error(`internal: ${name} was given no length ${length}`);
    return value;
  });
  const size = (given: number): number => (given < 0 ? (sizes[-1 - given] ?? Number.NaN) : given);
  return ops.map(({ attrs, outputs }) => ({
    attrs: Object.fromEntries(
      Object.entries(attrs).map(([attr, value]) => {
        // Every name is one of the table: the ops that carry them are typed by it.
        const counts = isCount[attr as AttrName];
        return [attr, counts && typeof value === "number" ? size(value) : value];
      }),
    ),
    shapes: outputs.map(({ shape }) => shape.map(size)),
  }));
}
