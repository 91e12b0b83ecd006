/** Recorded and computed tensors against each other: the largest difference, what is allowed, the verdict. */
import type { StatedTolerance } from "./config";

/** What a tensor is about, in the order of the report. */
export const groups = [
  "position embeddings",
  "schedules",
  "targets",
  "context",
  "predictions",
  "losses",
  "gradients",
  "weights",
  "moving average",
] as const;

export type Group = (typeof groups)[number];

export interface Comparison {
  /** Name in the trace; `[k]` behind it where only a part is meant. */
  readonly tensor: string;
  readonly group: Group;
  /** Steps before this was computed: 0 for the forward pass and the gradient of the first step. */
  readonly afterSteps: number;
  readonly shape: readonly number[];
  /** The largest absolute difference; NaN where one of both is no number. */
  readonly difference: number;
  readonly tolerance: number;
  /** Where it is largest, as a flat index, and both values there. */
  readonly at: number;
  readonly recorded: number;
  readonly computed: number;
  readonly holds: boolean;
}

export type Numbers = ArrayLike<number>;

/** Which elements are compared; all where none is given. */
export type Chosen = (index: number) => boolean;

export interface ToCompare {
  readonly tensor: string;
  readonly group: Group;
  readonly afterSteps: number;
  readonly shape: readonly number[];
  readonly recorded: Numbers;
  readonly computed: Numbers;
  readonly tolerance: number;
  readonly chosen?: Chosen;
}

export function compare({ recorded, computed, chosen = () => true, ...facts }: ToCompare): Comparison {
  if (recorded.length !== computed.length) {
    throw new Error(`internal: ${facts.tensor} has ${computed.length} values, not ${recorded.length}`);
  }
  let at = 0;
  let difference = -1;
  for (let i = 0; i < recorded.length; i++) {
    if (!chosen(i)) continue;
    const was = recorded[i] ?? Number.NaN;
    const is = computed[i] ?? Number.NaN;
    // Of a step that went wrong both say so: no number, or the same infinity.
    const here = Object.is(was, is) ? 0 : Math.abs(is - was);
    if (here <= difference) continue;
    at = i;
    difference = here;
    // NaN is larger than everything.
    if (Number.isNaN(here)) break;
  }
  difference = Math.max(0, difference);
  return {
    ...facts,
    difference,
    at,
    recorded: recorded[at] ?? Number.NaN,
    computed: computed[at] ?? Number.NaN,
    holds: difference <= facts.tolerance,
  };
}

/** Difference as a share of what is allowed; infinite where it is no number. */
export function shareOf({ difference, tolerance }: Comparison): number {
  if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  return difference === 0 ? 0 : difference / tolerance;
}

/**
 * The acceptance of the recorded numbers: `tol` where it is stated, else max(n · noise, n · 2.5e-7 · largest value, 1e-9)
 * with n = 8 for one forward and backward pass and 24 after updates.
 */
export function toleranceOf(
  stated: StatedTolerance | undefined,
  recorded: Numbers,
  kind: "first pass" | "after updates",
): number {
  if (stated?.tolerance !== undefined && stated.tolerance !== null) return stated.tolerance;
  const n = kind === "first pass" ? 8 : 24;
  return Math.max(n * (stated?.noise ?? 0), n * 2.5e-7 * largest(recorded), 1e-9);
}

/** Of those that are finite. */
export function largest(values: Numbers): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] ?? 0);
    if (size > most && size !== Number.POSITIVE_INFINITY) most = size;
  }
  return most;
}
