/** Means over seeds and how sure they are. */

/** What seeds came to. */
export interface Sample {
  readonly mean: number;
  /** Standard deviation of the sample. */
  readonly deviation: number;
  readonly seeds: number;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The standard deviation of a sample; NaN of one value. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

export const sampleOf = (values: readonly number[]): Sample => ({
  mean: mean(values),
  deviation: deviation(values),
  seeds: values.length,
});

/** The difference of two means in its standard errors, as Welch's test has it. */
export function standardErrorsApart(a: Sample, b: Sample): number {
  return (a.mean - b.mean) / Math.sqrt(a.deviation ** 2 / a.seeds + b.deviation ** 2 / b.seeds);
}

/** Kendall's rank correlation: 1 the same order, −1 the reverse; a pair that is equal in either counts for none. */
export function kendallTau(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      sum += Math.sign((a[i] ?? 0) - (a[j] ?? 0)) * Math.sign((b[i] ?? 0) - (b[j] ?? 0));
      pairs++;
    }
  }
  return sum / pairs;
}

/** The share of all orders of so many different numbers whose tau with a given one is at least as far from 0. */
export function shareOfOrders(count: number, tau: number): number {
  // How many orders have k pairs the wrong way round (Mahonian numbers): the next number falls before 0 to n − 1 of the others.
  let orders = [1];
  for (let n = 2; n <= count; n++) {
    const next = Array.from({ length: orders.length + n - 1 }, (_, k) =>
      orders.slice(Math.max(0, k - n + 1), k + 1).reduce((sum, one) => sum + one, 0),
    );
    orders = next;
  }
  const pairs = orders.length - 1;
  const all = orders.reduce((sum, one) => sum + one, 0);
  const far = orders.reduce((sum, one, k) => (Math.abs(1 - (2 * k) / pairs) >= tau - 1e-9 ? sum + one : sum), 0);
  return far / all;
}
