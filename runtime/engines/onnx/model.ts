/**
 * Writes a graph as an ONNX model. Field numbers and type codes are those of onnx.proto (IR version 8, opset 18).
 */
import { PbfWriter } from "pbf";
import type { Dim } from "./dims";
import type { Attribute, CompactType, ElementType, Node, Value } from "./graph";

const ELEMENT_CODE: Record<ElementType | CompactType, number> = {
  f32: 1,
  u8: 2,
  i8: 3,
  i32: 6,
  i64: 7,
  f16: 10,
  u32: 12,
};
const IR_VERSION = 8;
export const OPSET = 18;

export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** A weight that goes along: a value that the nodes read and no input gives. */
export interface ModelWeight extends NamedValue {
  readonly type: ElementType | CompactType;
  readonly dims: readonly number[];
  /** The bytes, or where they lie in a file beside the model: a model itself has less than 2 GiB. */
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly bytes: number };
}

export interface ModelParts {
  readonly name: string;
  /** In the order of the file. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly weights?: readonly ModelWeight[];
  /** Free texts about the model. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export function modelBytes(parts: ModelParts): Uint8Array {
  const names = namesOf(parts);
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, "ijepa");
  pbf.writeMessage(7, (_, out) => writeGraph(out, parts, names), null);
  for (const [domain, version] of [
    ["", OPSET],
    ["com.microsoft", 1],
  ] as const) {
    pbf.writeMessage(
      8,
      (_, out) => {
        out.writeStringField(1, domain);
        out.writeVarintField(2, version);
      },
      null,
    );
  }
  for (const [key, text] of Object.entries(parts.metadata ?? {})) writeEntry(pbf, 14, key, text);
  return pbf.finish();
}

/** What the nodes are called in the model. */
export function nodeNames(parts: ModelParts): ReadonlyMap<Node, string> {
  const nameOf = namesOf(parts);
  return new Map(parts.nodes.map((node) => [node, nodeName(node, nameOf)]));
}

function nodeName(node: Node, nameOf: (value: Value) => string): string {
  const output = node.outputs[0];
  return `${node.op} ${output === undefined ? "" : nameOf(output)}`;
}

/** Names of inputs and outputs as given, of everything else by number. */
function namesOf(parts: ModelParts): (value: Value) => string {
  const given = new Map(
    [...parts.inputs, ...(parts.weights ?? []), ...parts.outputs].map(({ name, value }) => [value, name]),
  );
  return (value) => given.get(value) ?? `t${value.id}`;
}

function writeGraph(pbf: PbfWriter, parts: ModelParts, nameOf: (value: Value) => string): void {
  const constants = new Set<Value>();
  for (const node of parts.nodes) {
    pbf.writeMessage(1, (_, out) => writeNode(out, node, nameOf), null);
    for (const input of node.inputs) if (input?.source.kind === "constant") constants.add(input);
  }
  for (const { value } of parts.outputs) if (value.source.kind === "constant") constants.add(value);
  pbf.writeStringField(2, parts.name);
  for (const value of constants) pbf.writeMessage(5, (_, out) => writeConstant(out, value, nameOf(value)), null);
  for (const weight of parts.weights ?? []) pbf.writeMessage(5, (_, out) => writeWeight(out, weight), null);
  for (const { name, value } of parts.inputs) writeValueInfo(pbf, 11, name, value);
  for (const { name, value } of parts.outputs) writeValueInfo(pbf, 12, name, value);
  const outputs = new Set(parts.outputs.map(({ value }) => value));
  // Sizes of everything between: the runtime reuses a buffer in place only where it can prove that sizes are equal.
  for (const node of parts.nodes) {
    for (const value of node.outputs) if (!outputs.has(value)) writeValueInfo(pbf, 13, nameOf(value), value);
  }
}

function writeNode(pbf: PbfWriter, node: Node, nameOf: (value: Value) => string): void {
  for (const input of node.inputs) pbf.writeStringField(1, input === null ? "" : nameOf(input));
  for (const output of node.outputs) pbf.writeStringField(2, nameOf(output));
  pbf.writeStringField(3, nodeName(node, nameOf));
  pbf.writeStringField(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    pbf.writeMessage(5, (_, out) => writeAttribute(out, name, attribute), null);
  }
  if (node.domain !== "") pbf.writeStringField(7, node.domain);
}

function writeAttribute(pbf: PbfWriter, name: string, attribute: Attribute): void {
  pbf.writeStringField(1, name);
  if ("float" in attribute) {
    pbf.writeFloatField(2, attribute.float);
    pbf.writeVarintField(20, 1);
  } else if ("int" in attribute) {
    pbf.writeVarintField(3, attribute.int);
    pbf.writeVarintField(20, 2);
  } else if ("text" in attribute) {
    pbf.writeStringField(4, attribute.text);
    pbf.writeVarintField(20, 3);
  } else {
    for (const value of attribute.ints) pbf.writeVarintField(8, value);
    pbf.writeVarintField(20, 7);
  }
}

function writeConstant(pbf: PbfWriter, value: Value, name: string): void {
  if (value.source.kind !== "constant") throw new Error("internal: not a constant");
  const { data } = value.source;
  for (const dim of value.dims) pbf.writeVarintField(1, Number(dim));
  pbf.writeVarintField(2, ELEMENT_CODE[value.type]);
  pbf.writeStringField(8, name);
  pbf.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writeWeight(pbf: PbfWriter, { name, type, dims, data }: ModelWeight): void {
  for (const dim of dims) pbf.writeVarintField(1, dim);
  pbf.writeVarintField(2, ELEMENT_CODE[type]);
  pbf.writeStringField(8, name);
  if (data instanceof Uint8Array) {
    pbf.writeBytesField(9, data);
    return;
  }
  writeEntry(pbf, 13, "location", data.file);
  writeEntry(pbf, 13, "offset", String(data.offset));
  writeEntry(pbf, 13, "length", String(data.bytes));
  pbf.writeVarintField(14, 1);
}

/** A pair of texts, StringStringEntryProto. */
function writeEntry(pbf: PbfWriter, field: number, key: string, text: string): void {
  pbf.writeMessage(
    field,
    (_, entry) => {
      entry.writeStringField(1, key);
      entry.writeStringField(2, text);
    },
    null,
  );
}

function writeValueInfo(pbf: PbfWriter, field: number, name: string, value: Value): void {
  pbf.writeMessage(
    field,
    (_, info) => {
      info.writeStringField(1, name);
      info.writeMessage(
        2,
        (_2, type) => {
          type.writeMessage(
            1,
            (_3, tensor) => {
              tensor.writeVarintField(1, ELEMENT_CODE[value.type]);
              tensor.writeMessage(2, (_4, shape) => writeDims(shape, value.dims), null);
            },
            null,
          );
        },
        null,
      );
    },
    null,
  );
}

function writeDims(pbf: PbfWriter, dims: readonly Dim[]): void {
  for (const dim of dims) {
    pbf.writeMessage(
      1,
      (_, out) => {
        if (typeof dim === "number") out.writeVarintField(1, dim);
        else out.writeStringField(2, dim);
      },
      null,
    );
  }
}
