/** The programs of a mask plan: what one step may find in its masks. */
import type { MaskPlan, Program } from "../../runtime/masks/plan";

/** The program that is run most often; the first of equals. */
export function mostProbable({ programs }: Pick<MaskPlan, "programs">): Program {
  const [first, ...others] = programs;
  if (first === undefined) throw new Error("internal: a mask plan without programs");
  return others.reduce((best, program) => (program.probability > best.probability ? program : best), first);
}

/** Whether a number of a program is not the same in all of them. */
export const programsDiffer = ({ programs }: Pick<MaskPlan, "programs">, of: (program: Program) => number): boolean =>
  new Set(programs.map(of)).size > 1;
