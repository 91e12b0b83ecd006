/** How a weight lies in the file, by precision: what is written, and the node that gives float32 of it. */
import type { CompactType, ElementType, Graph, Value } from "../../../runtime/engines/onnx/graph";
import type { Parameter } from "../../../runtime/experiment";
import { toHalf, toInt8Columns } from "./compact";

export const precisions = ["fp32", "fp16", "int8"] as const;
export type ExportPrecision = (typeof precisions)[number];

/** A tensor of the file; its bytes follow from the weight in our layout. */
export interface Stored {
  readonly value: Value;
  readonly name: string;
  readonly type: ElementType | CompactType;
  readonly dims: readonly number[];
  readonly bytes: (weight: Float32Array) => Uint8Array;
}

interface Placed {
  /** float32, as the ops read it. */
  readonly value: Value;
  readonly stored: readonly Stored[];
}

type Place = (graph: Graph, parameter: Pick<Parameter, "officialName" | "shape">) => Placed;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function input(graph: Graph, name: string, dims: readonly number[]): Value {
  return graph.input(name, "f32", dims);
}

const whole: Place = (graph, { officialName: name, shape: dims }) => {
  const value = input(graph, name, dims);
  return { value, stored: [{ value, name, type: "f32", dims, bytes: bytesOf }] };
};

const half: Place = (graph, { officialName: name, shape: dims }) => {
  const stored = input(graph, name, dims);
  const value = graph.one("Cast", [stored], dims, { to: { int: 1 } });
  return { value, stored: [{ value: stored, name, type: "f16", dims, bytes: (weight) => bytesOf(toHalf(weight)) }] };
};

const byte: Place = (graph, { officialName: name, shape: dims }) => {
  const columns = dims[1] ?? 1;
  const stored = input(graph, name, dims);
  const scale = input(graph, `${name}.scale`, [columns]);
  const value = graph.one("DequantizeLinear", [stored, scale], dims, { axis: { int: 1 } });
  const parts = (weight: Float32Array) => toInt8Columns(weight, columns);
  return {
    value,
    stored: [
      { value: stored, name, type: "i8", dims, bytes: (weight) => bytesOf(parts(weight).values) },
      {
        value: scale,
        name: `${name}.scale`,
        type: "f32",
        dims: [columns],
        bytes: (weight) => bytesOf(parts(weight).scales),
      },
    ],
  };
};

/** Norms and biases are few and stay float32; with int8 so does the patch embedding, whose inputs are pixels. */
export const placeWeight: { readonly [P in ExportPrecision]: Place } = {
  fp32: whole,
  fp16: (graph, parameter) => (parameter.shape.length > 1 ? half : whole)(graph, parameter),
  int8: (graph, parameter) => {
    const isMatrix = parameter.shape.length > 1 && parameter.officialName.startsWith("blocks.");
    return (isMatrix ? byte : whole)(graph, parameter);
  },
};
