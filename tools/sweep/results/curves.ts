/** The curves of a sweep as the page draws them: seeds and their mean, over one x for all points. */
import { metricText } from "./metric-text";
import type { CurvePoint, GroupSummary, PointResult, Results } from "./results";

export interface Series {
  /** Place of its group in the list of the page. */
  readonly group: number;
  /** `seed 2`, or `mean of 3 seeds`. */
  readonly label: string;
  readonly isMean: boolean;
  readonly failed: boolean;
  /** One value for each x; null where it has none. */
  readonly y: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  /** How to read it, in few words. */
  readonly hint: string;
  readonly decimals: number;
  /** Means of short spans of steps; else one value for an epoch at most. */
  readonly byStep: boolean;
  /** Epochs, ascending. */
  readonly x: readonly number[];
  /** As they are drawn: the means over all seeds, and the best over all others. */
  readonly series: readonly Series[];
}

/** Charts of all metrics that were measured at more than one epoch, and the names of the others. */
export function chartsOf(results: Results): { readonly charts: readonly Chart[]; readonly once: readonly string[] } {
  const { metrics, points, sweep } = results;
  const charts: Chart[] = [];
  const once: string[] = [];
  for (const name of metrics) {
    const curve = ({ curves, stepLoss }: PointResult): readonly CurvePoint[] =>
      name === "loss" && stepLoss.length > 0 ? stepLoss : (curves[name] ?? []);
    const x = [...new Set(points.flatMap((point) => curve(point).map(({ epoch }) => epoch)))].sort((a, b) => a - b);
    const { title, unit, scale, decimals } = metricText(name);
    const byStep = name === "loss" && points.some(({ stepLoss }) => stepLoss.length > 0);
    if (x.length < 2) {
      once.push(title);
      continue;
    }
    const better = name === sweep.metric.name ? ` · ${sweep.metric.goal === "max" ? "higher" : "lower"} is better` : "";
    charts.push({
      title,
      unit,
      hint: `${byStep ? "by step" : "by epoch"}${better}`,
      byStep,
      decimals,
      x: x.map(short),
      series: results.groups
        .flatMap((group, g) => seriesOf(group, g, results, curve, x, scale))
        .reverse()
        .sort((a, b) => Number(a.isMean) - Number(b.isMean)),
    });
  }
  return { charts, once };
}

function seriesOf(
  group: GroupSummary,
  place: number,
  { points }: Results,
  curve: (point: PointResult) => readonly CurvePoint[],
  x: readonly number[],
  scale: number,
): readonly Series[] {
  const members = points.filter((point) => point.group === group.name && curve(point).length > 0);
  const seeds = members.map((point): Series => {
    const values = new Map(curve(point).map(({ epoch, value }) => [epoch, scale * value]));
    return {
      group: place,
      label: `seed ${point.seed}`,
      isMean: false,
      failed: point.state === "failed",
      y: x.map((epoch) => values.get(epoch) ?? null),
    };
  });
  const whole = seeds.filter(({ failed }) => !failed);
  const rounded = ({ y, ...series }: Series): Series => ({
    ...series,
    y: y.map((v) => (v === null ? null : short(v))),
  });
  // A single curve is its own mean.
  if (whole.length === 1) return seeds.map((series) => rounded({ ...series, isMean: !series.failed }));
  const mean = meanOf(whole.map(({ y }) => y));
  const label = `mean of ${whole.length} seeds`;
  return [...seeds, ...(whole.length === 0 ? [] : [{ group: place, label, isMean: true, failed: false, y: mean }])].map(
    rounded,
  );
}

/** At every x where all curves have a value: a mean over fewer of them would jump. */
function meanOf(curves: readonly (readonly (number | null)[])[]): readonly (number | null)[] {
  return (curves[0] ?? []).map((_, i) => {
    const values = curves.flatMap((y) => y[i] ?? []);
    return values.length === curves.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
  });
}

/** Five digits are more than a screen has pixels. */
const short = (value: number): number => Number(value.toPrecision(5));
