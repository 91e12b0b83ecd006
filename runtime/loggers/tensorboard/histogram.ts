/** How numbers spread: their counts between equal limits, with what TensorBoard asks for besides. */

export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** Numbers counted. */
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  /** Right edges of the buckets, ascending. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const buckets = 50;

/** More numbers than this are counted by every n-th: the form of a histogram does not change, and an epoch ends sooner. */
const mostCounted = 2 ** 17;

/** Null where there is no finite number. */
export function histogramOf(values: Float32Array): Histogram | null {
  const every = Math.ceil(values.length / mostCounted);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let count = 0;
  let sum = 0;
  let squares = 0;
  const each = (take: (value: number) => void): void => {
    for (let i = 0; i < values.length; i += every) {
      const value = values[i];
      if (value !== undefined && Number.isFinite(value)) take(value);
    }
  };
  each((value) => {
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
    sum += value;
    squares += value * value;
  });
  if (count === 0) return null;
  const width = (max - min) / buckets;
  // Of equal numbers all are in one bucket.
  if (width === 0) return { min, max, count, sum, squares, limits: [max], counts: [count] };
  const counts = new Array<number>(buckets).fill(0);
  each((value) => {
    const bucket = Math.min(buckets - 1, Math.floor((value - min) / width));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  });
  const limits = counts.map((_, i) => (i === buckets - 1 ? max : min + (i + 1) * width));
  return { min, max, count, sum, squares, limits, counts };
}
