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
