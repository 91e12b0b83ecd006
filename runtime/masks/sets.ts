/**
 * Several sets of masks of an image in one step: whatever sees the whole image runs once, and what sees its masks runs for
 * each set. Rows of masks are (set, image) where there were images, so rows of contexts are (context, set, image).
 */
import type { AnyMaskPlan } from "./plan";

export const setsOf = ({ setCount = 1 }: Pick<AnyMaskPlan, "setCount">): number => setCount;

/** What the numbers of a set are drawn for; those of the first set do not depend on how many there are. */
export const purposeOfSet = (purpose: string, set: number): string => (set === 0 ? purpose : `${purpose}.${set}`);

/** Of each set [groups · images, …] → [groups · sets · images, …]: the groups (contexts) of all sets side by side. */
export function setsInRows(sets: readonly Int32Array[], groups: number): Int32Array {
  const all = new Int32Array(sets.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let group = 0; group < groups; group++) {
    for (const set of sets) {
      const size = set.length / groups;
      all.set(set.subarray(group * size, (group + 1) * size), at);
      at += size;
    }
  }
  return all;
}
