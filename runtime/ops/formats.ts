/** Number formats: which an op takes, and which it gives. Rules of signatures.ts, for the compiler and for engines. */
import type { Dtype, OpName } from "./ops";

/** The format of an op's outputs, from those of its inputs. */
export type FormatRule = (op: OpName, inputs: readonly Dtype[]) => Dtype;

/** Bytes of one number. */
export const formatBytes: { readonly [T in Dtype]: number } = { f32: 4, bf16: 2, i32: 4, u8: 1 };

/** Thrown when number formats do not fit: never the user's fault, always a wrong program. */
export class FormatError extends Error {
  constructor(op: OpName, found: readonly Dtype[], wanted: readonly Dtype[]) {
    super(`internal: ${op}(${found.join(", ")}) should be ${op}(${wanted.join(", ")})`);
  }
}

/** The first inputs of these formats, the others float32; so is the output, unless another format is named. */
export function takes(first: readonly Dtype[], gives: Dtype = "f32"): FormatRule {
  return (op, found) => {
    const wanted = found.map((_, i): Dtype => first[i] ?? "f32");
    if (found.some((dtype, i) => dtype !== wanted[i])) throw new FormatError(op, found, wanted);
    return gives;
  };
}

export const float32 = takes([]);

/** A tensor and the indices of what is read or written there. */
export const indexed = takes(["f32", "i32"]);

/** The first two inputs are the operands of a product: both float32, or both bfloat16. Sums are float32 in either. */
export const operands: FormatRule = (op, found) =>
  takes(found[0] === "bf16" ? ["bf16", "bf16"] : ["f32", "f32"])(op, found);
