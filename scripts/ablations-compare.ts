/** How far the order of our rows is that of the paper. */
import { kendallTau, type Sample, sampleOf, shareOfOrders, standardErrorsApart } from "./statistics";

export interface ComparedRow {
  readonly name: string;
  /** The paper's accuracy, in percent. */
  readonly paper: number;
  /** Ours: the mean of the three probes by seed, in percent. Seeds are in the same order in all rows. */
  readonly bySeed: readonly number[];
}

export interface Comparison {
  /** Pairs of rows. */
  readonly inOrder: number;
  readonly reversed: number;
  readonly noise: number;
  /** Kendall's tau with the paper's figures, over the seeds; null of two rows, where it is the pair itself. */
  readonly tau: Sample | null;
}

/** A pair of rows counts where its difference is more than this many standard errors. */
const BEYOND_NOISE = 2;

export function comparison(rows: readonly ComparedRow[]): Comparison {
  const signs = rows.flatMap((a, i) =>
    rows.slice(i + 1).map((b) => {
      const apart = standardErrorsApart(sampleOf(a.bySeed), sampleOf(b.bySeed)) * Math.sign(a.paper - b.paper);
      return Math.abs(apart) > BEYOND_NOISE ? Math.sign(apart) : 0;
    }),
  );
  const count = (sign: number): number => signs.filter((one) => one === sign).length;
  const tau = rows.length < 3 ? null : sampleOf(tausBySeed(rows));
  return { inOrder: count(1), reversed: count(-1), noise: count(0), tau };
}

function tausBySeed(rows: readonly ComparedRow[]): readonly number[] {
  const paper = rows.map((row) => row.paper);
  const [{ bySeed } = { bySeed: [] }] = rows;
  return bySeed.map((_, seed) =>
    kendallTau(
      paper,
      rows.map((row) => row.bySeed[seed] ?? Number.NaN),
    ),
  );
}

/** In sentences: of the pairs, and of more than two rows the trend. */
export function verdict(rows: readonly ComparedRow[]): string {
  const { inOrder, reversed, noise, tau } = comparison(rows);
  if (tau === null) {
    const how =
      inOrder > 0
        ? "stands in the order of the paper"
        : reversed > 0
          ? "stands the other way round"
          : "is within noise";
    return `The pair ${how}.`;
  }
  const ofMeans = kendallTau(
    rows.map(({ paper }) => paper),
    rows.map(({ bySeed }) => sampleOf(bySeed).mean),
  );
  const chance = 100 * shareOfOrders(rows.length, Math.abs(ofMeans));
  return (
    `Of ${inOrder + reversed + noise} pairs, ${inOrder} stand in the order of the paper, ${reversed} the other way round, ` +
    `${noise} are within noise. Kendall's τ with the paper's figures is ${signed(tau.mean)} ± ${tau.deviation.toFixed(2)} over seeds; ` +
    `that of the means is ${signed(ofMeans)}, and ${chance.toFixed(0)} % of all orders of ${rows.length} rows are as far from 0.`
  );
}

/** Without a sign before 0. */
export const signed = (value: number): string => (Math.round(100 * value) / 100 + 0).toFixed(2).replace("-", "−");
