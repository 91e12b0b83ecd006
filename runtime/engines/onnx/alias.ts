/**
 * May an output of a step be written over the input that it replaces? Only if everything that reads the old numbers
 * has run before. An engine may run nodes in any order that respects their inputs, so "before" means: leads to.
 */
import { ancestorsOf, type Node, type Value } from "./graph";

/** Ops whose output is the memory of their input under another shape. */
const VIEWS: ReadonlySet<string> = new Set(["Reshape", "Identity"]);
/** Ops that read an element only to write the same element. */
const ELEMENTWISE: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Div"]);

/** Everything that may read the memory of a value: the nodes that take it, and those that take a view of it. */
function readersOf(value: Value, nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => {
    if (!node.inputs.includes(value)) return [];
    return VIEWS.has(node.op) ? [node, ...node.outputs.flatMap((output) => readersOf(output, nodes))] : [node];
  });
}

/**
 * True where `output` may lie in the memory of `input`, whatever the order in which `nodes` run. A GPU does not let a
 * program read what it writes (`writerReads: false`): there even the writer must not read the old numbers.
 */
export function mayOverwrite(
  nodes: readonly Node[],
  input: Value,
  output: Value,
  { writerReads = true }: { readonly writerReads?: boolean } = {},
): boolean {
  if (output.source.kind !== "node" || output.type !== input.type) return false;
  const writer = output.source.node;
  const before = ancestorsOf(writer.inputs.filter((value) => value !== null));
  return readersOf(input, nodes).every((reader) => {
    if (before.has(reader)) return true;
    // The writer itself may read it, element by element and not under broadcasting.
    return (
      writerReads &&
      reader === writer &&
      ELEMENTWISE.has(writer.op) &&
      writer.inputs.every((value) => value !== input || value.dims.join() === output.dims.join())
    );
  });
}
