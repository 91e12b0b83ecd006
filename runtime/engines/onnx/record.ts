/** Records a generated function: runs it once over symbolic handles and gives the graphs that do the same. */
import { opsFor } from "../../ops/adapter";
import type { HostFormat, OpName, Shape } from "../../ops/ops";
import { leavesOf, treeOf } from "../../ops/tree";
import type { Place } from "../../step/share";
import type { EngineFunction } from "../engine";
import { kernelOf } from "../table";
import { cutAtMeetings, named, type Recording } from "./cut";
import type { Value } from "./graph";
import type { Layout, Piece, Segment } from "./layout";
import { hasBytes, lowerings, mostParts, type Target } from "./lowering/table";
import { NOTED_ADAMW, NOTED_EMA } from "./lowering/update";
import { wordsFor } from "./lowering/words";
import { type Handle, isHandle, Recorder } from "./recorder";
import { Updates } from "./updates";

/** Gives one graph, or one before and one after each kind of meeting of the devices. */
export function record(
  fn: EngineFunction,
  layout: Layout,
  target: Target = "cpu",
  place?: Place,
): readonly Recording[] {
  const r = new Recorder(fn.lengths, mostParts[target], place);
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
    const value = inputValue(r, `input.${path}`, { dtype: spec.dtype, shape }, target);
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
  const gathered = gatheredSegments({ r, updates, written, valueAt });
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
  for (const segment of written.filter((each) => !gathered.has(each))) {
    const values = segment.pieces.map(({ path }) => {
      const value = valueAt(path);
      if (value === undefined) throw new Error(`internal: ${fn.name} replaces only a part of ${segment.name}`);
      return updates.resolve(value);
    });
    const [only] = values;
    const whole = values.length === 1 && only ? only : updates.join(values);
    stateOutputs.set(segment, named(r, whole));
  }

  const parts = cutAtMeetings(r, {
    fn,
    recorded,
    state: [...new Set([...segments, ...written])].map((segment) => ({
      segment,
      input: stateInputs.get(segment) ?? null,
      output: stateOutputs.get(segment) ?? null,
    })),
    gathered: [...gathered].map(([segment, { whole, shards }]) => ({
      segment,
      whole,
      shards: shards.map(({ from, piece }) => ({ piece, from: updates.resolve(from) })),
    })),
    inputs: inputHandles.map(([path, { dtype, shape, value }]) => {
      return { path, dtype, dims: r.dims(shape), name: `input.${path}`, value };
    }),
    outputs: outputs.map(([path, handle]) => ({
      path,
      name: `output.${path}`,
      value: named(r, updates.resolve(r.full(handle))),
    })),
  });
  for (const { nodes } of parts) {
    for (const node of nodes) {
      if (node.op === NOTED_ADAMW || node.op === NOTED_EMA) {
        throw new Error(`internal: ${fn.name} computes with the result of an update`);
      }
    }
  }
  return parts;

  function lengthOf(known: Readonly<Record<string, number>>, name: string): number {
    const length = known[name];
    if (length === undefined) throw new Error(`internal: ${fn.name} has no length ${name}`);
    return length;
  }
}

/** Bytes become words where the target has none; images have the same size in all programs. */
function inputValue(
  r: Recorder,
  name: string,
  { dtype, shape }: { readonly dtype: HostFormat; readonly shape: Shape },
  target: Target,
): Value {
  if (dtype !== "u8" || hasBytes[target]) return r.graph.input(name, dtype, r.dims(shape));
  return r.graph.input(name, "u32", [wordsFor(shape.reduce((a, b) => a * b, 1))]);
}

/**
 * Segments of the store that are filled where the devices meet, all pieces of each. The graph behind that reads them as they
 * lie there, so that nothing is copied.
 */
function gatheredSegments(of: {
  readonly r: Recorder;
  readonly updates: Updates;
  readonly written: readonly Segment[];
  readonly valueAt: (path: string) => Value | undefined;
}): ReadonlyMap<Segment, { readonly whole: Value; readonly shards: readonly { from: Value; piece: Piece }[] }> {
  const { r, updates, written, valueAt } = of;
  const bySegment = written.flatMap((segment) => {
    const found = segment.pieces.flatMap((piece) => {
      const gather = r.gathers.find(({ to }) => to === valueAt(piece.path));
      return gather === undefined ? [] : [{ ...gather, piece }];
    });
    if (found.length === 0) return [];
    if (found.length < segment.pieces.length) throw new Error(`internal: only a part of ${segment.name} is gathered`);
    const whole = r.graph.input(`gathered.${segment.name}`, "f32", segment.shape);
    const shapes = segment.pieces.map(({ shape }) => shape);
    const parts = found.length === 1 ? [whole] : updates.split(whole, shapes);
    for (const [i, { to }] of found.entries()) updates.replace(to, parts[i] ?? whole);
    return [[segment, { whole, shards: found }] as const];
  });
  const used = new Set(bySegment.flatMap(([, { shards }]) => shards.map(({ to }) => to)));
  if (r.gathers.some(({ to }) => !used.has(to))) throw new Error("internal: what is gathered is no state");
  return new Map(bySegment);
}

/** The graph of a function that reduces nothing over devices. */
export function recordOne(fn: EngineFunction, layout: Layout, target?: Target): Recording {
  const [recording, ...others] = record(fn, layout, target);
  // The rules of a spec allow many devices only where the engine carries them (compiler/spec/hardware-rules.ts).
  if (recording === undefined || others.length > 0) throw new Error(`internal: ${fn.name} reduces over devices`);
  return recording;
}
