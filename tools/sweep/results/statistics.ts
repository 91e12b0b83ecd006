/** The little statistics that a comparison of a few runs needs. */
import type { Spread } from "./results";

export function spreadOf(values: readonly number[]): Spread | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  // A mean of equal numbers can differ from them in the last bit, and their spread would not be 0.
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const sd = n === 1 ? null : min === max ? 0 : Math.sqrt(squares / (n - 1));
  return { n, mean: min === max ? min : mean, sd, standardError: sd === null ? null : sd / Math.sqrt(n), min, max };
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** Standard error of a share of right answers among so many. */
export const shareError = (share: number, count: number): number => Math.sqrt((share * (1 - share)) / count);

/**
 * Half the width of the 95 % interval of the difference of two means, by Welch's test: neither the spreads nor the numbers
 * of values have to be equal. Null unless both have a spread.
 */
export function welch95(a: Spread, b: Spread): number | null {
  if (a.standardError === null || b.standardError === null) return null;
  const [varianceA, varianceB] = [a.standardError ** 2, b.standardError ** 2];
  const sum = varianceA + varianceB;
  if (sum === 0) return 0;
  const degrees = sum ** 2 / (varianceA ** 2 / (a.n - 1) + varianceB ** 2 / (b.n - 1));
  return student95(degrees) * Math.sqrt(sum);
}

/** 97.5 % of the standard normal distribution. */
export const normal95 = 1.959964;

/** 97.5 % of Student's distribution with 1, 2, … 30 degrees of freedom, as printed in any textbook. */
const student95Table = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Fractions of a degree are rounded down, which widens the interval; beyond the table its last line holds. */
export function student95(degrees: number): number {
  // Degrees that are whole by theory come out a last bit short.
  const row = Math.min(Math.max(Math.floor(degrees + 1e-9), 1), student95Table.length);
  return student95Table[row - 1] ?? normal95;
}
