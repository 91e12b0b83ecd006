/**
 * Sizes of a recorded tensor: a number, or a product with lengths that are known only when the step runs, e.g. `16*C`.
 * The text is what ONNX calls a dim_param; equal texts are equal sizes, which lets the runtime reuse buffers.
 */
export type Dim = number | string;

/** The product of sizes, in one canonical spelling: number first, names by code point. */
export function productOf(dims: readonly Dim[]): Dim {
  let factor = 1;
  const names: string[] = [];
  for (const dim of dims) {
    if (typeof dim === "number") {
      factor *= dim;
      continue;
    }
    for (const part of dim.split("*")) {
      if (/^\d+$/.test(part)) factor *= Number(part);
      else names.push(part);
    }
  }
  names.sort();
  if (names.length === 0 || factor === 0) return factor;
  return factor === 1 ? names.join("*") : [factor, ...names].join("*");
}

/** The size when the lengths are known. */
export function resolveDim(dim: Dim, lengths: Readonly<Record<string, number>>): number {
  if (typeof dim === "number") return dim;
  return dim.split("*").reduce((product, part) => {
    if (/^\d+$/.test(part)) return product * Number(part);
    const length = lengths[part];
    if (length === undefined) throw new Error(`internal: no value for the length ${part}`);
    return product * length;
  }, 1);
}

export function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
