/**
 * The order in which a step runs. onnxruntime walks back from the results, so what is not needed for the next result is
 * put off: gradients of biases would wait until the end and keep every activation alive. Two means bring the order of
 * the generated code back: the nodes are listed so that results come in that order (the file is written backwards, see
 * call.ts), and the node that writes a tensor of the state waits for what has to run before it.
 */
import { type Dim, resolveDim, sameDims } from "./dims";
import { ancestorsOf, type Node, type Value } from "./graph";
import type { Recorder } from "./recorder";

/** A tensor of the state that is read and replaced. */
export interface Replaced {
  readonly input: Value | null;
  readonly output: Value;
}

/** The nodes that the results need: those of the generated code as they were recorded, updates right after gradients. */
export function inOrder(r: Recorder, results: readonly Value[], recorded: number): Node[] {
  const nodes = r.graph.needed(results);
  const place = new Map(r.graph.nodes.map((node, i) => [node, i]));
  const keys = new Map<Node, number>();
  // Not in the order of creation: a node that waits reads something that was made after it.
  const keyOf = (node: Node): number => {
    const known = keys.get(node);
    if (known !== undefined) return known;
    const own = place.get(node) ?? 0;
    const inputs = node.inputs.map((value) => (value?.source.kind === "node" ? keyOf(value.source.node) : 0));
    const key = own < recorded ? own : Math.max(0, ...inputs);
    keys.set(node, key);
    return key;
  };
  return nodes.sort((a, b) => keyOf(a) - keyOf(b) || (place.get(a) ?? 0) - (place.get(b) ?? 0));
}

/** Lets every writer wait for the readers of what it overwrites, and for small results that free large tensors. */
export function addWaiting(r: Recorder, nodes: readonly Node[], state: readonly Replaced[]): void {
  const writers = new Map<Node, Replaced>();
  for (const replaced of state) {
    const node = writerOf(replaced);
    if (node !== undefined) writers.set(node, replaced);
  }
  const done = new Set<Node>();
  const passed: Node[] = [];
  for (const node of nodes) {
    const replaced = writers.get(node);
    if (replaced === undefined) {
      if (freesMemory(node)) passed.push(node);
      continue;
    }
    const before = ancestorsOf([replaced.output]);
    const readers = nodes.filter((reader) => replaced.input !== null && reader.inputs.includes(replaced.input));
    const waited = [...readers, ...passed.splice(0)].filter((other) => !before.has(other) && !done.has(other));
    const values = waited.flatMap((other) => other.outputs[0] ?? []).filter((value) => !ancestorsOf([value]).has(node));
    if (values.length > 0) waitFor(r, node, values);
    for (const other of [...before, ...ancestorsOf(values)]) done.add(other);
  }
}

/** The node that writes a tensor, where it is one that can be made to wait: an elementwise op on two alike tensors. */
function writerOf({ output }: Replaced): Node | undefined {
  const node = output.source.kind === "node" ? output.source.node : undefined;
  const last = node?.inputs[1];
  const fits = node?.inputs.length === 2 && (node.op === "Sub" || node.op === "Add");
  return fits && last && sameDims(last.dims, output.dims) ? node : undefined;
}

/** Its result is several times smaller than what it reads. */
function freesMemory(node: Node): boolean {
  const most = Math.max(0, ...node.inputs.map((value) => (value === null ? 0 : sizeOf(value.dims))));
  const result = node.outputs.reduce((sum, { dims }) => sum + sizeOf(dims), 0);
  return result * 8 <= most && result > 0 && most > 4096;
}

/** Elements, taking every unknown length for a common one. */
function sizeOf(dims: readonly Dim[]): number {
  const common = new Proxy({}, { get: () => 64 });
  return dims.reduce<number>((product, dim) => product * resolveDim(dim, common), 1);
}

/** The node's last input becomes a view of it, whose shape is known only when these values are: [] is cut from theirs. */
function waitFor(r: Recorder, node: Node, values: readonly Value[]): void {
  const last = node.inputs.at(-1);
  if (!last) throw new Error("internal: a node without inputs cannot wait");
  const empty = values.map((value) =>
    r.graph.one("Shape", [value], [0], { start: { int: 0 }, end: { int: 0 } }, { type: "i64" }),
  );
  const parts = [r.sizes(last.dims), ...empty];
  const shape = r.graph.one("Concat", parts, [last.dims.length], { axis: { int: 0 } }, { type: "i64" });
  const view = r.graph.one("Reshape", [last, shape], last.dims);
  r.graph.rewrite(node, { ...node, inputs: [...node.inputs.slice(0, -1), view] });
}
