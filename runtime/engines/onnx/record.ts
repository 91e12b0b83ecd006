/** Records a generated function: runs it once over symbolic handles and gives the graph that does the same. */
import { opsFor } from "../../ops/adapter";
import type { HostFormat, OpName } from "../../ops/ops";
import { leavesOf, treeOf } from "../../ops/tree";
import type { EngineFunction } from "../engine";
import { kernelOf } from "../table";
import type { Node, Value } from "./graph";
import type { Layout, Segment } from "./layout";
import { lowerings, mostParts, type Target } from "./lowering/table";
import { NOTED_ADAMW, NOTED_EMA } from "./lowering/update";
import type { NamedValue } from "./model";
import { addWaiting, inOrder } from "./order";
import { peephole } from "./peephole";
import { type Handle, isHandle, Recorder } from "./recorder";
import { Updates } from "./updates";

/** A segment of the store that the function reads, replaces, or both. */
export interface StateUse {
  readonly segment: Segment;
  /** Name of the graph input; null where the segment is only written. */
  readonly input: NamedValue | null;
  /** What replaces the segment; null where it is only read. */
  readonly output: NamedValue | null;
}

/** Of a call: a leaf of what it takes or gives. */
export interface NamedTensor extends NamedValue {
  readonly path: string;
}

export interface Recording {
  readonly name: string;
  /** In an order of execution. */
  readonly nodes: readonly Node[];
  readonly state: readonly StateUse[];
  /** What a call gives, by path; only those that the graph needs. */
  readonly inputs: readonly (NamedTensor & { readonly dtype: HostFormat })[];
  /** Lengths that the graph needs, as int64 [1]. */
  readonly lengths: readonly (NamedValue & { readonly length: string })[];
  readonly outputs: readonly NamedTensor[];
}

export function record(fn: EngineFunction, layout: Layout, target: Target = "cpu"): Recording {
  const r = new Recorder(fn.lengths, mostParts[target]);
  const lengths = Object.fromEntries(fn.lengths.map((name, i) => [name, -1 - i]));
  const updates = new Updates(r);

  const segments = new Set(fn.reads.map((path) => layout.find(path).segment));
  const stateInputs = new Map<Segment, Value>();
  const stateHandles = new Map<string, Handle>();
  for (const segment of segments) {
    const whole = r.graph.input(`state.${segment.name}`, "f32", segment.shape);
    stateInputs.set(segment, whole);
    const parts =
      segment.pieces.length === 1
        ? [whole]
        : updates.split(
            whole,
            segment.pieces.map(({ shape }) => shape),
          );
    segment.pieces.forEach((piece, i) => {
      const value = parts[i];
      if (value !== undefined) stateHandles.set(piece.path, { dtype: "f32", shape: piece.shape, value });
    });
  }
  const inputHandles = [...fn.inputs].map(([path, spec]): [string, Handle & { readonly dtype: HostFormat }] => {
    const shape = spec.shape.map((size) => (typeof size === "number" ? size : lengthOf(lengths, size)));
    const value = r.graph.input(`input.${path}`, spec.dtype, r.dims(shape));
    return [path, { dtype: spec.dtype, shape, value }];
  });

  const ops = opsFor<Handle>((op: OpName, inputs, attrs, shapes, dtype) =>
    kernelOf(lowerings[target], op)(r, inputs, attrs, shapes).map((value, i) => {
      const shape = shapes[i];
      if (shape === undefined) throw new Error(`internal: ${op} gave more tensors than it has`);
      return { dtype, shape, value };
    }),
  );
  const result = fn.run(
    ops,
    treeOf(
      fn.reads.flatMap((path): [string, Handle][] => {
        const handle = stateHandles.get(path);
        return handle === undefined ? [] : [[path, handle]];
      }),
    ),
    treeOf(inputHandles),
    lengths,
  );

  const replaced = new Map(leavesOf(result.state, isHandle));
  const outputs = leavesOf(result.outputs, isHandle);
  const written = [...new Set([...replaced.keys()].map((path) => layout.find(path).segment))];
  const valueAt = (path: string): Value | undefined => {
    const handle = replaced.get(path) ?? stateHandles.get(path);
    return handle && r.full(handle);
  };
  const recorded = r.graph.nodes.length;
  // A moving average takes the new weight, so all weights come first.
  for (const op of [NOTED_ADAMW, NOTED_EMA] as const) {
    for (const { pieces } of written)
      updates.write(
        op,
        pieces.flatMap(({ path }) => valueAt(path) ?? []),
      );
    for (const [, handle] of outputs) updates.write(op, [handle.value]);
  }
  const stateOutputs = new Map<Segment, Value>();
  for (const segment of written) {
    const values = segment.pieces.map(({ path }) => {
      const value = valueAt(path);
      if (value === undefined) throw new Error(`internal: ${fn.name} replaces only a part of ${segment.name}`);
      return updates.resolve(value);
    });
    const [only] = values;
    const whole = values.length === 1 && only ? only : updates.join(values);
    stateOutputs.set(segment, named(r, whole));
  }

  const outputValues = outputs.map(([path, handle]) => ({
    path,
    name: `output.${path}`,
    value: named(r, updates.resolve(r.full(handle))),
  }));
  const results = [...stateOutputs.values(), ...outputValues.map(({ value }) => value)];
  peephole(r.graph, r.graph.needed(results), new Set(results));
  const replacements = [...stateOutputs].map(([segment, output]) => ({
    input: stateInputs.get(segment) ?? null,
    output,
  }));
  addWaiting(r, inOrder(r, results, recorded), replacements);
  const nodes = inOrder(r, results, recorded);
  for (const node of nodes) {
    if (node.op === NOTED_ADAMW || node.op === NOTED_EMA) {
      throw new Error(`internal: ${fn.name} computes with the result of an update`);
    }
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  return {
    name: fn.name,
    nodes,
    state: [...new Set([...segments, ...written])].flatMap((segment) => {
      const input = stateInputs.get(segment);
      const output = stateOutputs.get(segment);
      const isRead = input !== undefined && used.has(input);
      if (!isRead && output === undefined) return [];
      return {
        segment,
        input: isRead ? { name: `state.${segment.name}`, value: input } : null,
        output: output === undefined ? null : { name: `next.${segment.name}`, value: output },
      };
    }),
    inputs: inputHandles.flatMap(([path, { dtype, value }]) =>
      used.has(value) ? { path, dtype, name: `input.${path}`, value } : [],
    ),
    lengths: fn.lengths.flatMap((length) => {
      const name = `length.${length}`;
      const value = r.graph.inputs.get(name);
      return value !== undefined && used.has(value) ? { length, name, value } : [];
    }),
    outputs: outputValues,
  };

  function lengthOf(known: Readonly<Record<string, number>>, name: string): number {
    const length = known[name];
    if (length === undefined) throw new Error(`internal: ${fn.name} has no length ${name}`);
    return length;
  }
}

/** A value under a name of its own: a graph output cannot be an input or a constant, nor stand under two names. */
function named(r: Recorder, value: Value): Value {
  if (value.source.kind === "node" && value.source.node.op !== "Reshape") return value;
  return r.graph.one("Identity", [value], value.dims, {}, { type: value.type });
}
