/** Shapes and axes as TypeScript types. */
import type { Dtype } from "../../runtime/ops/ops";
import { lengthNames } from "../../runtime/step/lengths";
import type { Graph, Value } from "../ir/graph";
import { type Dim, type Num, shapeText } from "../ir/number";
import type { Numbers } from "./numbers";

/** The type of a tensor in generated code, by its number format. */
const tensorTypes: { readonly [T in Dtype]: string } = { f32: "F32", bf16: "BF16", i32: "I32", u8: "U8" };

export function tensorType({ dtype, shape }: { readonly dtype: Dtype; readonly shape: readonly Num[] }): string {
  return `${tensorTypes[dtype]}<${shapeText(shape)}>`;
}

/** The varying axes of these values, in the order C, T, S, U. */
export function varyingAxes(values: readonly Value[]): readonly Dim[] {
  const found = new Map<string, Dim>();
  for (const num of values.flatMap((value) => value.shape)) {
    if (typeof num === "object" && num.kind === "dim" && num.varies) found.set(num.name, num);
  }
  return lengthNames.flatMap((name) => found.get(name) ?? []);
}

/** Varying axes that a graph needs as numbers, because an attribute of an op is one. */
export function neededLengths(graph: Graph): readonly Dim[] {
  const values = graph.nodes.flatMap((node) => Object.values(node.attrs)).filter((value) => typeof value === "object");
  return varyingAxes([{ name: "", dtype: "f32", shape: values }]);
}

/** `<C extends number, T extends number>`, or nothing. */
export function typeParameters(axes: readonly Dim[]): string {
  return axes.length === 0 ? "" : `<${axes.map((axis) => `${axis.name} extends number`).join(", ")}>`;
}

export function typeArguments(axes: readonly Dim[]): string {
  return axes.length === 0 ? "" : `<${axes.map((axis) => axis.name).join(", ")}>`;
}

/** `{ readonly C: C; readonly T: T }` */
export function lengthsType(axes: readonly Dim[]): string {
  return `{ ${axes.map((axis) => `readonly ${axis.name}: ${axis.name}`).join("; ")} }`;
}

/** An attribute as TypeScript; a length that varies is read from `l`. */
export function attrText(value: Num | boolean, numbers: Numbers): string {
  if (typeof value !== "object") return String(value);
  if (value.kind === "expression") return numbers.expression(value);
  return value.varies ? `l.${value.name}` : value.name;
}
