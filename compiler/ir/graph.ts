/**
 * A graph is one generated function: named values, one op per node, in order of execution. Plain records; only the
 * builder grows.
 */
import { outputFormat, outputShapes } from "../../runtime/ops/adapter";
import type { Dtype, HostFormat, OpName } from "../../runtime/ops/ops";
import { type AxisAttrs, signatures } from "../../runtime/ops/signatures";
import type { InputName } from "../../runtime/step/trees";
import { type Num, nameOf } from "./number";

export type AttrValue = Num | boolean;
export type IrAttrs = Readonly<Record<string, AttrValue>>;

/** A tensor that the step is handed: a leaf of one of its trees. */
export interface Leaf {
  readonly tree: InputName;
  /** Names from the tree down; `*` stands for the number of a block, e.g. `dropPath.*.attn`. */
  readonly path: string;
  readonly dtype: HostFormat;
  readonly shape: readonly Num[];
  /** What it is: see runtime/ops/roles.ts. */
  readonly role: string;
  readonly doc?: string;
}

export interface Value {
  /** Unique in its graph; a TypeScript identifier, or `group.path` of a weight. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly Num[];
  /** Set for weights: the parameter group it belongs to and its path there ("" where the group is one tensor). */
  readonly parameter?: { readonly group: string; readonly path: string };
  /** Set for inputs that the step is handed; the other inputs are results of other functions. */
  readonly leaf?: Leaf;
  /** What it is, of inputs and weights (runtime/ops/roles.ts); the other values follow from their ops (emit/roles.ts). */
  readonly role?: string;
}

export interface Node {
  readonly op: OpName;
  readonly inputs: readonly Value[];
  readonly attrs: IrAttrs;
  readonly outputs: readonly Value[];
}

/** The type of the blocks of a network: `EncoderBlock`. */
export type BlockType = `${Capitalize<string>}Block`;

/** The TypeScript type of a group of weights, e.g. `EncoderBlock` or `Linear<D, P>`; `F32<[P]>` of a single tensor. */
export interface GroupType {
  readonly name: "Linear" | "Norm" | "F32" | BlockType;
  readonly axes: readonly Num[];
  /** What a single layer makes of what, `norm1 -> qkv`, or what a single tensor is. */
  readonly role?: string;
}

/** Weights that a function is handed as one argument. */
export interface Group {
  /** Argument name, e.g. `block`. */
  readonly name: string;
  readonly type: GroupType;
  /** Where it lies among all weights, e.g. `encoder.patchEmbed.proj`, or `encoder.blocks.*` of a repeated block. */
  readonly path: string;
  readonly parameters: readonly Value[];
}

export interface Graph {
  readonly name: string;
  readonly doc: string;
  readonly groups: readonly Group[];
  readonly inputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

/** Weights of one function as a record of values, e.g. `block["attn.qkv.weight"]`. */
export type Weights = (path: string) => Value;

export class GraphBuilder {
  private readonly nodes: Node[] = [];
  private readonly inputs: Value[] = [];
  private readonly groups: Group[] = [];
  private readonly names = new Set<string>();

  constructor(
    private readonly name: string,
    private readonly doc: string,
  ) {}

  input(name: string, dtype: Dtype, shape: readonly Num[], role: string = name): Value {
    return this.take({ name, dtype, shape, role });
  }

  /** An input that is a leaf of the step's trees. */
  read(name: string, leaf: Leaf): Value {
    return this.take({ name, dtype: leaf.dtype, shape: leaf.shape, leaf, role: leaf.role });
  }

  /** An input like that of another graph. */
  take(input: Value): Value {
    const value = { ...input, name: this.unique(input.name) };
    this.inputs.push(value);
    return value;
  }

  /** Takes a value of another graph as an input; keeps its identity. */
  adopt(value: Value): Value {
    if (!this.inputs.includes(value)) {
      this.names.add(value.name);
      this.inputs.push(value);
    }
    return value;
  }

  /** Keeps names from being given to new values. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.names.add(name);
  }

  /** Adds a parameter group; gives the lookup of its weights by path. */
  group(group: Group): Weights {
    if (!this.groups.some((known) => known.name === group.name)) {
      this.unique(group.name);
      this.groups.push(group);
    }
    return (path) => {
      const found = group.parameters.find((value) => value.parameter?.path === path);
      if (found === undefined) throw new Error(`internal: ${this.name}: no weight ${path} in ${group.name}`);
      return found;
    };
  }

  /** One op; one name for each output. Names that are taken get a number. */
  apply<K extends OpName>(
    op: K,
    inputs: readonly Value[],
    attrs: AxisAttrs<K, Num>,
    ...names: readonly string[]
  ): readonly Value[] {
    const { outputs } = signatures[op];
    if (names.length !== outputs) throw new Error(`internal: ${this.name}: ${op} has ${outputs} outputs`);
    const shapes = outputShapes<Num>(
      op,
      inputs.map((value) => value.shape),
      attrs as IrAttrs,
    );
    const dtype = outputFormat(
      op,
      inputs.map((value) => value.dtype),
    );
    const results = names.map((name, i) => ({
      name: this.unique(name),
      dtype,
      shape: shapes[i] ?? [],
    }));
    this.nodes.push({ op, inputs, attrs: attrs as IrAttrs, outputs: results });
    return results;
  }

  /** An op with one output. */
  one<K extends OpName>(op: K, inputs: readonly Value[], attrs: AxisAttrs<K, Num>, name: string): Value {
    const [value] = this.apply(op, inputs, attrs, name);
    if (value === undefined) throw new Error(`internal: ${op} gave nothing`);
    return value;
  }

  /** The same op on other inputs, for passes; the shapes of the outputs stay. */
  copy(node: Node, inputs: readonly Value[], names: readonly string[]): readonly Value[] {
    const results = node.outputs.map((value, i) => ({ ...value, name: this.unique(names[i] ?? value.name) }));
    this.nodes.push({ ...node, inputs, outputs: results });
    return results;
  }

  finish(outputs: readonly Value[]): Graph {
    return { name: this.name, doc: this.doc, groups: this.groups, inputs: this.inputs, nodes: this.nodes, outputs };
  }

  private unique(name: string): string {
    let candidate = name;
    for (let i = 2; this.names.has(candidate); i++) candidate = `${name}${i}`;
    this.names.add(candidate);
    return candidate;
  }
}

/** `Linear<D, P>` */
export function groupType({ name, axes }: GroupType): string {
  if (axes.length === 0) return name;
  const list = axes.map(nameOf).join(", ");
  return name === "F32" ? `F32<[${list}]>` : `${name}<${list}>`;
}

/** Every weight of a graph. */
export function parametersOf(graph: Graph): readonly Value[] {
  return graph.groups.flatMap((group) => group.parameters);
}

/** The graph with other nodes; groups, inputs and names stay. */
export function withNodes(graph: Graph, nodes: readonly Node[], outputs: readonly Value[] = graph.outputs): Graph {
  return { ...graph, nodes, outputs };
}

/** Puts other values in the place of some, in the inputs of every node and among the outputs. */
export function replaceValues(graph: Graph, by: ReadonlyMap<Value, Value>): Graph {
  const final = (value: Value): Value => {
    let found = value;
    for (let next = by.get(found); next !== undefined; next = by.get(found)) found = next;
    return found;
  };
  return withNodes(
    graph,
    graph.nodes.map((node) =>
      node.inputs.some((value) => by.has(value)) ? { ...node, inputs: node.inputs.map(final) } : node,
    ),
    graph.outputs.map(final),
  );
}
