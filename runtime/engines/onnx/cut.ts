/**
 * The graphs of a recorded function. Most are one. A reduction over devices is a cut: what it reads is given by a first
 * graph, the devices meet, and a second graph takes the means. All new state is written by the second one, whose readers
 * and writers alone decide what may be written in place: the first has ended when it begins.
 */
import type { HostFormat } from "../../ops/ops";
import type { EngineFunction } from "../engine";
import type { Dim } from "./dims";
import { ancestorsOf, type Node, type Value } from "./graph";
import type { Segment } from "./layout";
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
  readonly inputs: readonly NamedTensor[];
  readonly outputs: Recording["outputs"];
}

export function cutAtReductions(r: Recorder, recorded: Recorded): readonly Recording[] {
  const gives = r.reductions.map(({ from }, i) => ({ name: `reduced.${i}`, value: named(r, from) }));
  const takes = r.reductions.map(({ to }, i) => ({ name: `reduced.${i}`, value: to }));
  const { outputs } = recorded;
  const written = recorded.state.flatMap(({ output }) => output ?? []);
  const results = [...gives, ...outputs].map(({ value }) => value).concat(written);
  peephole(r.graph, r.graph.needed(results), new Set(results));
  if (gives.length === 0) return [partOf(r, recorded, { outputs, written, gives, takes })];
  const reduced = new Set(takes.map(({ value }) => value));
  const isAfter = (value: Value): boolean =>
    reduced.has(value) || [...ancestorsOf([value])].some(({ inputs }) => inputs.some((x) => x && reduced.has(x)));
  const between = gives.find(({ value }) => isAfter(value));
  if (between !== undefined) throw new Error(`internal: ${recorded.fn.name} reduces what was reduced before`);
  return [
    partOf(r, recorded, { outputs: outputs.filter(({ value }) => !isAfter(value)), written: [], gives, takes: [] }),
    partOf(r, recorded, { outputs: outputs.filter(({ value }) => isAfter(value)), written, gives: [], takes }),
  ];
}

interface Part extends Pick<Recording, "outputs" | "gives" | "takes"> {
  /** New state. */
  readonly written: readonly Value[];
}

function partOf(r: Recorder, { fn, recorded, state, inputs }: Recorded, part: Part): Recording {
  const writes = new Set(part.written);
  const results = [...part.written, ...[...part.gives, ...part.outputs].map(({ value }) => value)];
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
  };
}

/** A value under a name of its own: a graph output cannot be an input or a constant, nor stand under two names. */
export function named(r: Recorder, value: Value): Value {
  if (value.source.kind === "node" && value.source.node.op !== "Reshape") return value;
  return r.graph.one("Identity", [value], value.dims, {}, { type: value.type });
}
