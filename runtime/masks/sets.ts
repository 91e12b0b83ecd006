/**
 * Several sets of masks of an image in one step: whatever sees the whole image runs once, and what sees its masks runs for
 * each set. Rows of what is seen are (set, context, image); what is predicted of an image stands side by side as
 * (target, set), so that its blocks become rows (target, set, context, image), the order of the contexts for each target.
 */
import { type Lengths, lengthsOf } from "../step/lengths";
import type { AnyMaskPlan } from "./plan";

export const setsOf = ({ setCount = 1 }: Pick<AnyMaskPlan, "setCount">): number => setCount;

/** The lengths of a program over all sets of a step. */
export const stepLengths = (
  plan: Pick<AnyMaskPlan, "targetCount" | "setCount">,
  program: Parameters<typeof lengthsOf>[0],
): Lengths => lengthsOf(program, plan.targetCount * setsOf(plan));

/** What the numbers of a set are drawn for; those of the first set do not depend on how many there are. */
export const purposeOfSet = (purpose: string, set: number): string => (set === 0 ? purpose : `${purpose}.${set}`);

/** [rows of each set] → all rows: the sets one after the other. */
export function setsInRows(sets: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(sets.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const set of sets) {
    all.set(set, at);
    at += set.length;
  }
  return all;
}

/** [images · targets, T] of each set → [images, targets · sets · T]: what is predicted of an image side by side. */
export function setsSideBySide(sets: readonly Int32Array[], tokens: number): Int32Array {
  const all = new Int32Array(sets.reduce((sum, { length }) => sum + length, 0));
  for (const [i, set] of sets.entries()) {
    for (let block = 0; block * tokens < set.length; block++) {
      all.set(set.subarray(block * tokens, (block + 1) * tokens), (block * sets.length + i) * tokens);
    }
  }
  return all;
}
