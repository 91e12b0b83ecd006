/**
 * A graph of ONNX nodes under construction. Asking twice for the same op on the same inputs gives the same node, so
 * that what a forward op and its gradient both need (statistics of a layer norm, a transpose) is computed once.
 */
import type { Dim } from "./dims";

export type ElementType = "f32" | "i32" | "i64" | "u8" | "u32";

/** A format that weights of a file lie in; a node turns them into float32 before anything is computed. */
export type CompactType = "f16" | "i8";

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string };
export type Attributes = Readonly<Record<string, Attribute>>;

export type ConstantData = Float32Array | Int32Array | Uint32Array | BigInt64Array;

/** Where a value comes from. */
export type Source =
  | { readonly kind: "node"; readonly node: Node; readonly output: number }
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly data: ConstantData };

export interface Value {
  readonly id: number;
  readonly type: ElementType;
  readonly dims: readonly Dim[];
  readonly source: Source;
}

export interface Node {
  readonly op: string;
  /** "" for ONNX itself, "com.microsoft" for the additions of onnxruntime. */
  readonly domain: "" | "com.microsoft";
  /** null where an optional input is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

export interface NodeRequest {
  readonly op: string;
  readonly domain?: "com.microsoft";
  readonly inputs: readonly (Value | null)[];
  readonly attributes?: Attributes;
  readonly outputs: readonly { readonly dims: readonly Dim[]; readonly type?: ElementType }[];
}

function constantType(data: ConstantData): ElementType {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Int32Array) return "i32";
  return data instanceof Uint32Array ? "u32" : "i64";
}

export class Graph {
  /** In the order of creation, which is an order of execution. */
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  readonly #known = new Map<string, readonly Value[]>();
  #count = 0;

  /** The graph input of this name; made at the first call. */
  input(name: string, type: ElementType, dims: readonly Dim[]): Value {
    const found = this.inputs.get(name);
    if (found !== undefined) return found;
    const value: Value = { id: this.#count++, type, dims, source: { kind: "input", name } };
    this.inputs.set(name, value);
    return value;
  }

  constant(data: ConstantData, dims: readonly number[]): Value {
    const type = constantType(data);
    const key = `constant ${type} [${dims.join()}] ${data.join()}`;
    const found = this.#known.get(key)?.[0];
    if (found !== undefined) return found;
    const value: Value = { id: this.#count++, type, dims, source: { kind: "constant", data } };
    this.#known.set(key, [value]);
    return value;
  }

  scalar(value: number): Value {
    return this.constant(Float32Array.of(value), []);
  }

  /** A list of int64, as shapes, axes and slice bounds are given. */
  ints(values: readonly number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  node(request: NodeRequest): readonly Value[] {
    const { op, domain = "", inputs, attributes = {} } = request;
    const key = keyOf(op, domain, inputs, attributes);
    const found = this.#known.get(key);
    if (found !== undefined && found.length >= request.outputs.length) return found;
    const outputs: Value[] = [];
    const node: Node = { op, domain, inputs, attributes, outputs };
    request.outputs.forEach(({ dims, type = "f32" }, output) => {
      outputs.push({ id: this.#count++, type, dims, source: { kind: "node", node, output } });
    });
    this.nodes.push(node);
    this.#known.set(key, outputs);
    return outputs;
  }

  /** The first output of the node that `one` would give, if it is there already. */
  find(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    domain: "" | "com.microsoft" = "",
  ): Value | undefined {
    return this.#known.get(keyOf(op, domain, inputs, attributes))?.[0];
  }

  /** Makes another op of a node; who refers to it or to its outputs does not notice. */
  rewrite(node: Node, to: Pick<Node, "op" | "domain" | "inputs" | "attributes">): void {
    // Nodes are read-only for everybody else; their outputs keep their sizes.
    Object.assign(node, to);
  }

  /** A node with one output. */
  one(
    op: string,
    inputs: readonly (Value | null)[],
    dims: readonly Dim[],
    attributes: Attributes = {},
    extra: { readonly domain?: "com.microsoft"; readonly type?: ElementType } = {},
  ): Value {
    const { domain, type } = extra;
    const output = { dims, ...(type === undefined ? {} : { type }) };
    return first(this.node({ op, inputs, attributes, outputs: [output], ...(domain === undefined ? {} : { domain }) }));
  }

  /** Nodes that these values need, in order of creation. */
  needed(values: Iterable<Value>): Node[] {
    const needed = ancestorsOf(values);
    return this.nodes.filter((node) => needed.has(node));
  }
}

function keyOf(op: string, domain: string, inputs: readonly (Value | null)[], attributes: Attributes): string {
  return `${domain}:${op}(${inputs.map((value) => value?.id ?? "").join()}) ${JSON.stringify(attributes)}`;
}

/** The nodes that compute these values, and all that they need. */
export function ancestorsOf(values: Iterable<Value>): Set<Node> {
  const seen = new Set<Node>();
  const open: Value[] = [...values];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value.source.kind !== "node" || seen.has(value.source.node)) continue;
    seen.add(value.source.node);
    for (const input of value.source.node.inputs) if (input !== null) open.push(input);
  }
  return seen;
}

/** The node that computes this value, if it is of this op. */
export function producerOf(value: Value, op: string): Node | undefined {
  return value.source.kind === "node" && value.source.node.op === op ? value.source.node : undefined;
}

export function first<T>(list: readonly T[]): T {
  const value = list[0];
  if (value === undefined) throw new Error("internal: an empty list");
  return value;
}
