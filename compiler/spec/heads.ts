/** Heads that do not divide a width, and the numbers that would. */
import { errors } from "../diagnostics/catalogue";
import type { Problem } from "../diagnostics/diagnostic";

/** Whole numbers that divide `total`, the nearest below and above `wanted`. */
export function nearestDivisors(total: number, wanted: number): number[] {
  const divides = (candidate: number) => total % candidate === 0;
  const below = countFrom(wanted - 1, -1, total).find(divides);
  const above = countFrom(wanted + 1, 1, total).find(divides);
  return [below, above].filter((found) => found !== undefined);
}

function countFrom(first: number, step: 1 | -1, last: number): number[] {
  const length = Math.max(0, step === 1 ? last - first + 1 : first);
  return Array.from({ length }, (_, index) => first + step * index);
}

export function headsProblem(network: { readonly dim: number; readonly heads: number }, inherited: boolean): Problem {
  const { dim, heads } = network;
  return errors.headsDivideDim({ dim, heads, nearest: nearestDivisors(dim, heads), inherited });
}
