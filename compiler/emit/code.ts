/** Generated text together with what it uses, so that nobody has to look for it in the text. */

export interface GeneratedFile {
  /** Name in the trainer's folder, e.g. `step.ts`. */
  readonly name: string;
  readonly text: string;
}

/** A file of TypeScript, with what its check wants to know. */
export interface GeneratedCode extends GeneratedFile {
  /** Names of the generated files that it imports. */
  readonly imports: readonly string[];
  /** The code that is checked for it and all that differ from it in what no type depends on (numbers.ts). */
  readonly standIn: () => string;
}

/** Code that is checked as it is. */
export function standingForItself({ name, text, imports }: Omit<GeneratedCode, "standIn">): GeneratedCode {
  return { name, text, imports, standIn: () => text };
}

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
