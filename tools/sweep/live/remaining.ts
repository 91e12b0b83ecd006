/** How long a sweep still takes, about. */

export interface RunningPoint {
  readonly ranForMs: number;
  /** To its last step at its pace, the evaluation after it left out; null before the first steps. */
  readonly leftMs: number | null;
}

export interface Remaining {
  readonly running: readonly RunningPoint[];
  readonly waiting: number;
  /** Wall times of the points that ended, start and evaluation included: the best that is known of those to come. */
  readonly endedMs: readonly number[];
  /** Points at a time; null where the executor decides. */
  readonly jobs: number | null;
}

/** Null where nothing is known yet. */
export function remainingMs({ running, waiting, endedMs, jobs }: Remaining): number | null {
  const known = running.flatMap(({ ranForMs, leftMs }) => (leftMs === null ? [] : [{ ranForMs, leftMs }]));
  if (jobs === null || (endedMs.length === 0 && (known.length === 0 || known.length < running.length))) return null;
  const whole = meanOf(endedMs.length > 0 ? endedMs : known.map(({ ranForMs, leftMs }) => ranForMs + leftMs));
  const left = running.map(({ ranForMs, leftMs }) =>
    Math.max(0, leftMs ?? 0, endedMs.length > 0 ? whole - ranForMs : 0),
  );
  const sum = left.reduce((total, ms) => total + ms, 0) + waiting * whole;
  return sum / Math.max(1, Math.min(jobs, running.length + waiting));
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
