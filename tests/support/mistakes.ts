/** Mistakes in a generated step.ts that a recorded run must notice. */
import type { Group } from "../../runtime/replay/compare";
import { type CompiledTrace, followFiles, type Mutation, mutatedStep } from "./replay";

export interface Mistake extends Mutation {
  readonly mistake: string;
  /** Steps until it can be seen; 1 unless said otherwise. */
  readonly steps?: number;
  readonly seenIn: Group;
}

/** The groups of recorded values that do not hold any more. */
export async function groupsThatNotice({ trace, files }: CompiledTrace, mistake: Mistake): Promise<readonly Group[]> {
  const { comparisons } = await followFiles(trace, mutatedStep(files, mistake), { steps: mistake.steps ?? 1 });
  return [...new Set(comparisons.filter(({ holds }) => !holds).map(({ group }) => group))];
}
