/** Mistakes in a generated step.ts that a recorded run must notice. */
import type { Group } from "../../runtime/replay/compare";
import { type CompiledTrace, followFiles } from "./replay";

export interface Mutation {
  readonly mistake: string;
  readonly from: RegExp;
  readonly to: string;
  /** Only in this function of step.ts; everywhere where none is named. */
  readonly inside?: string;
  /** Steps until it can be seen; 1 unless said otherwise. */
  readonly steps?: number;
  readonly seenIn: Group;
}

/** The text with one mistake in it. Throws where the pattern is not there: the mutation would prove nothing. */
function mutated(text: string, { from, to, inside }: Mutation): string {
  const start = inside === undefined ? 0 : text.search(new RegExp(`export function ${inside}[<(]`));
  if (start < 0) throw new Error(`step.ts has no ${inside}`);
  const end = inside === undefined ? text.length : text.indexOf("\n}\n", start);
  const changed = text.slice(start, end).replace(from, to);
  if (changed === text.slice(start, end)) throw new Error(`step.ts has nothing like ${from}`);
  return text.slice(0, start) + changed + text.slice(end);
}

/** The groups of recorded values that do not hold any more. */
export async function groupsThatNotice(compiled: CompiledTrace, mutation: Mutation): Promise<readonly Group[]> {
  const files = compiled.files.map((file) =>
    file.name === "step.ts" ? { ...file, text: mutated(file.text, mutation) } : file,
  );
  const { comparisons } = await followFiles(compiled.trace, files, { steps: mutation.steps ?? 1 });
  return [...new Set(comparisons.filter(({ holds }) => !holds).map(({ group }) => group))];
}
