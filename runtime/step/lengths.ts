/** Token counts that differ from program to program, by the names that the generated code gives them. */

// A type and not an interface: it is also a record of numbers by name.
export type Lengths = {
  /** Context tokens. */
  readonly C: number;
  /** Tokens of one target block. */
  readonly T: number;
  /** Tokens of a predictor sequence, C + T. */
  readonly S: number;
  /** Tokens of all target blocks of an image. */
  readonly U: number;
};

export type LengthName = keyof Lengths;

/** In the order of the type parameters of generated functions. */
export const lengthNames: readonly LengthName[] = ["C", "T", "S", "U"];

/** The lengths of a program: everything follows from its two numbers of tokens and the number of target blocks. */
export function lengthsOf(
  { contextTokens: C, targetTokens: T }: { readonly contextTokens: number; readonly targetTokens: number },
  targets: number,
): Lengths {
  return { C, T, S: C + T, U: targets * T };
}
