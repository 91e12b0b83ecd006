/**
 * The graphs of a recorded function. Most are one. Where devices meet is a cut: a reduction takes what a first graph gives,
 * and a second graph takes the means; where it updates shards, the devices bring these together in the store, and a third
 * graph reads the whole tensors there. The first graph writes no state; the graph that writes a tensor alone decides whether
 * that may happen in place, since the graphs before have ended when it begins, and those behind do not read the old one.
 */
import type { HostFormat } from "../../ops/ops";
import type { EngineFunction } from "../engine";
import type { Dim } from "./dims";
import type { GivenShard } from "./gather";
import { ancestorsOf, type Node, type Value } from "./graph";
import type { Piece, Segment } from "./layout";
import type { NamedValue } from "./model";
import { addWaiting, inOrder } from "./order";
import { peephole } from "./peephole";
import type { Recorder } from "./recorder";

/** A segment of the store that the function reads, replaces, or both. */
export interface StateUse {
  readonly segment: Segment;
  /** Name of the graph input; null where the segment is only written. */
  readonly input: NamedValue | null;
  /** What replaces the segment; null where it is only read. */
  readonly output: NamedValue | null;
}

/** A leaf of what a call takes. */
export interface NamedTensor extends NamedValue {
  readonly path: string;
  readonly dtype: HostFormat;
  /** Of the numbers that a call gives; the graph may be given them in another form (lowering/words.ts). */
  readonly dims: readonly Dim[];
}

export interface Recording {
  readonly name: string;
  /** In an order of execution. */
  readonly nodes: readonly Node[];
  readonly state: readonly StateUse[];
  /** What a call gives, by path; only those that the graph needs. */
  readonly inputs: readonly NamedTensor[];
  /** Lengths that the graph needs, as int64 [1]. */
  readonly lengths: readonly (NamedValue & { readonly length: string })[];
  readonly outputs: readonly (NamedValue & { readonly path: string })[];
  /** What the devices reduce after this graph. */
  readonly gives: readonly NamedValue[];
  /** What they have reduced before it, under the names of what the graph before gave. */
  readonly takes: readonly NamedValue[];
  /** Of which tensors of the store the devices bring the shards together after this graph. */
  readonly shards: readonly GivenShard[];
}

/** A function that was recorded and is no graph yet. */
export interface Recorded {
  readonly fn: EngineFunction;
  /** Nodes before the updates were written. */
  readonly recorded: number;
  readonly state: readonly {
    readonly segment: Segment;
    readonly input: Value | null;
    readonly output: Value | null;
  }[];
  /** Segments that are filled where the devices meet, and their shards. */
  readonly gathered: readonly {
    readonly segment: Segment;
    readonly whole: Value;
    readonly shards: readonly { readonly piece: Piece; readonly from: Value }[];
  }[];
  readonly inputs: readonly NamedTensor[];
  readonly outputs: Recording["outputs"];
}

export function cutAtMeetings(r: Recorder, recorded: Recorded): readonly Recording[] {
  const { outputs, gathered } = recorded;
  // In the order in which the backward pass gives them, so that the first bucket is ready first.
  const place = new Map(r.graph.nodes.map((node, i) => [node, i]));
  const placeOf = ({ source }: Value): number => (source.kind === "node" ? (place.get(source.node) ?? 0) : 0);
  const reductions = [...r.reductions].sort((a, b) => placeOf(a.from) - placeOf(b.from));
  const gives = reductions.map(({ from }, i) => ({ name: `reduced.${i}`, value: named(r, from) }));
  const takes = reductions.map(({ to }, i) => ({ name: `reduced.${i}`, value: to }));
  const shards = gathered.flatMap(({ segment, shards }) =>
    shards.map(({ piece, from }) => ({ name: `shard.${piece.path}`, value: named(r, from), segment, piece })),
  );
  const written = recorded.state.flatMap(({ output }) => output ?? []);
  const results = [...gives, ...outputs, ...shards].map(({ value }) => value).concat(written);
  peephole(r.graph, r.graph.needed(results), new Set(results));
  if (gives.length === 0) return [partOf(r, recorded, { outputs, written, gives, takes, shards })];

  /** How many meetings lie before a value. */
  const stageOf = stagesBy([
    ...takes.map(({ value }) => [value, 1] as const),
    ...gathered.map(({ whole }) => [whole, 2] as const),
  ]);
  if (gives.some(({ value }) => stageOf(value) > 0)) {
    throw new Error(`internal: ${recorded.fn.name} reduces what was reduced before`);
  }
  const at = (stage: number): Pick<Part, "outputs" | "written"> => ({
    outputs: outputs.filter(({ value }) => stageOf(value) === stage),
    // What is replaced whatever the devices meet over is written once they have met.
    written: stage === 0 ? [] : written.filter((value) => Math.max(1, stageOf(value)) === stage),
  });
  const none = { gives: [], takes: [], shards: [] };
  const parts = [
    partOf(r, recorded, { ...none, ...at(0), gives }),
    partOf(r, recorded, { ...none, ...at(1), takes, shards }),
    ...(shards.length === 0 ? [] : [partOf(r, recorded, { ...none, ...at(2) })]),
  ];
  checkOrder(parts);
  return parts;
}

function stagesBy(meetings: readonly (readonly [Value, number])[]): (value: Value) => number {
  const known = new Map(meetings);
  return (value) => {
    const inputs = [...ancestorsOf([value])].flatMap((node) => node.inputs);
    return Math.max(0, ...[value, ...inputs].map((each) => (each === null ? 0 : (known.get(each) ?? 0))));
  };
}

/** A graph must not read what one before it has replaced. */
function checkOrder(parts: readonly Recording[]): void {
  const replaced = new Set<Segment>();
  for (const { name, state } of parts) {
    for (const { segment, input } of state) {
      if (input !== null && replaced.has(segment)) throw new Error(`internal: ${name} reads ${segment.name} too late`);
    }
    for (const { segment, output } of state) if (output !== null) replaced.add(segment);
  }
}

interface Part extends Pick<Recording, "outputs" | "gives" | "takes" | "shards"> {
  /** New state. */
  readonly written: readonly Value[];
}

function partOf(r: Recorder, { fn, recorded, state: own, gathered, inputs }: Recorded, part: Part): Recording {
  const writes = new Set(part.written);
  const state = [...own, ...gathered.map(({ segment, whole }) => ({ segment, input: whole, output: null }))];
  const results = [...part.written, ...[...part.gives, ...part.outputs, ...part.shards].map(({ value }) => value)];
  const replaced = state.flatMap(({ input, output }) =>
    output !== null && writes.has(output) ? { input, output } : [],
  );
  addWaiting(r, inOrder(r, results, recorded), replaced);
  const nodes = inOrder(r, results, recorded);
  const used = new Set(nodes.flatMap((node) => node.inputs));
  return {
    name: fn.name,
    nodes,
    state: state.flatMap(({ segment, input, output }): readonly StateUse[] => {
      const isRead = input !== null && used.has(input);
      const isWritten = output !== null && writes.has(output);
      if (!isRead && !isWritten) return [];
      return [
        {
          segment,
          input: isRead ? { name: `state.${segment.name}`, value: input } : null,
          output: isWritten ? { name: `next.${segment.name}`, value: output } : null,
        },
      ];
    }),
    inputs: inputs.filter(({ value }) => used.has(value)),
    lengths: fn.lengths.flatMap((length) => {
      const name = `length.${length}`;
      const value = r.graph.inputs.get(name);
      return value !== undefined && used.has(value) ? { length, name, value } : [];
    }),
    outputs: part.outputs,
    gives: part.gives,
    takes: part.takes.filter(({ value }) => used.has(value)),
    shards: part.shards,
  };
}

/** A value under a name of its own: a graph output cannot be an input or a constant, nor stand under two names. */
export function named(r: Recorder, value: Value): Value {
  if (value.source.kind === "node" && value.source.node.op !== "Reshape") return value;
  return r.graph.one("Identity", [value], value.dims, {}, { type: value.type });
}
