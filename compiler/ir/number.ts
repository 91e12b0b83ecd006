/** Numbers of a program that keep their name or origin, so that generated code shows where they come from. */

/** The size of an axis, e.g. D = 192. One that varies differs from program to program (context and target tokens). */
export interface Dim {
  readonly kind: "dim";
  /** Name in generated code: one or two letters, a capital first. */
  readonly name: string;
  /** Size; of a varying one, its size in the most probable program. */
  readonly size: number;
  /** One phrase: what it counts. */
  readonly counts: string;
  readonly varies: boolean;
  /** What it is made of, where it is no number of its own. */
  readonly of?: SizeOf;
}

/** `times(3, D)` in generated code: see runtime/ops/sizes.ts. */
export interface SizeOf {
  readonly how: "sum" | "times" | "over";
  readonly of: readonly [number | Dim, number | Dim];
}

/** A number that is not an axis, written as its arithmetic, e.g. `1 / Math.sqrt(64)`. */
export interface Expression {
  readonly kind: "expression";
  /** TypeScript; made by the compiler, never from a string of a spec. */
  readonly name: string;
  readonly size: number;
}

export type Num = number | Dim | Expression;

/** The sizes of varying axes in one program, by name. */
export type Sizes = Readonly<Record<string, number>>;

export function sizeOf(num: Num, sizes: Sizes = {}): number {
  if (typeof num === "number") return num;
  if (num.kind === "dim" && num.varies) return sizes[num.name] ?? num.size;
  return num.size;
}

/** As it stands in a shape column: `[B, N, D]`. */
export function nameOf(num: Num): string {
  return typeof num === "number" ? String(num) : num.name;
}

export function shapeText(shape: readonly Num[]): string {
  return `[${shape.map(nameOf).join(", ")}]`;
}

export function expression(name: string, value: number): Expression {
  return { kind: "expression", name, size: value };
}
