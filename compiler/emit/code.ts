/** Generated text together with the names that it uses, so that nobody has to look for them in the text. */

export interface Uses {
  /** Types of step.ts; an axis that is the same in all programs is one. */
  readonly types: readonly string[];
  /** Functions and sizes of step.ts. */
  readonly values: readonly string[];
  /** Helpers of runtime/ops/blocks.ts. */
  readonly helpers: readonly string[];
}

export interface Code {
  readonly text: string;
  readonly uses: Uses;
}

export const noUses: Uses = { types: [], values: [], helpers: [] };

export function allUses(list: readonly Uses[]): Uses {
  const union = (kind: keyof Uses): readonly string[] => [...new Set(list.flatMap((uses) => uses[kind]))].sort();
  return { types: union("types"), values: union("values"), helpers: union("helpers") };
}
