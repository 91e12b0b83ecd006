/** Shapes and axes as TypeScript types. */
import type { Dtype } from "../../runtime/ops/ops";
import { lengthNames } from "../../runtime/step/lengths";
import type { Graph, GroupType, Value } from "../ir/graph";
import { type Dim, type Num, nameOf, type SizeOf, shapeText } from "../ir/number";
import { capital, literal } from "./names";
import type { Numbers } from "./numbers";

/** The type of a tensor in generated code, by its number format. */
const tensorTypes: { readonly [T in Dtype]: string } = { f32: "F32", bf16: "BF16", i32: "I32", u8: "U8" };

interface Typed {
  readonly dtype: Dtype;
  readonly shape: readonly Num[];
}

/** `F32<[B, N, D], "norm1">`; indices and bytes have no role. */
export function tensorType({ dtype, shape }: Typed, role: string): string {
  return `${tensorTypes[dtype]}<${shapeText(shape)}${dtype === "i32" || dtype === "u8" ? "" : `, ${literal(role)}`}>`;
}

/** The type of the weights that a function is handed; of whom they are, a wrapper says. */
export function groupCode({ name, axes, role }: GroupType): string {
  if (role === undefined) return name;
  const list = axes.map(nameOf).join(", ");
  return name === "F32" ? `Weight<[${list}], ${literal(role)}>` : `${name}<${list}, ${literal(role)}>`;
}

/** The varying axes of these values, in the order C, T, S, U. */
export function varyingAxes(values: readonly Pick<Value, "shape">[]): readonly Dim[] {
  const found = new Map<string, Dim>();
  for (const num of values.flatMap((value) => value.shape)) {
    if (typeof num === "object" && num.kind === "dim" && num.varies) found.set(num.name, num);
  }
  return lengthNames.flatMap((name) => found.get(name) ?? []);
}

/** Varying axes that a graph needs as numbers, because an attribute of an op is one. */
export function neededLengths(graph: Graph): readonly Dim[] {
  const values = graph.nodes.flatMap((node) => Object.values(node.attrs)).filter((value) => typeof value === "object");
  return varyingAxes([{ shape: values }]);
}

/** `<C extends number, T extends number>`, or nothing. */
export function typeParameters(axes: readonly Dim[]): string {
  return axes.length === 0 ? "" : `<${axes.map((axis) => `${axis.name} extends number`).join(", ")}>`;
}

/** The same where it matters what a length is made of: `S extends Sum<C, T>`. */
export function madeParameters(axes: readonly Dim[]): string {
  const names = new Set(axes.map(({ name }) => name));
  const isKnown = (part: number | Dim): boolean => typeof part === "number" || !part.varies || names.has(part.name);
  const bound = ({ of }: Dim): string => (of?.of.every(isKnown) ? sizeType(of) : "number");
  return axes.length === 0 ? "" : `<${axes.map((axis) => `${axis.name} extends ${bound(axis)}`).join(", ")}>`;
}

const [SAME, TIMES]: readonly [number, SizeOf["how"]] = [1, "times"];

function made(
  { how, of: [first, second] }: SizeOf,
  call: (how: SizeOf["how"], parts: string) => string,
  part: (of: number | Dim) => string = nameOf,
): string {
  return how === TIMES && first === SAME ? part(second) : call(how, `${part(first)}, ${part(second)}`);
}

const typeName = (how: SizeOf["how"]): string => capital(how);

/** `Times<3, D>` */
const sizeType = (of: SizeOf): string => made(of, (how, parts) => `${typeName(how)}<${parts}>`);

/** The type of a length in all programs: `number`, `Sum<number, number>`. */
export const anySize = ({ varies, name, of }: Dim): string => {
  if (!varies) return name;
  const part = (each: number | Dim): string => (typeof each === "number" ? String(each) : anySize(each));
  return of === undefined ? "number" : made(of, (how, parts) => `${typeName(how)}<${parts}>`, part);
};

/** `times(3, D)` */
export const sizeCode = (of: SizeOf): string => made(of, (how, parts) => `${how}(${parts})`);

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
