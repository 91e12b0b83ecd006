/** The curves of runs, over one x of steps for all of them. */
import { metricCurve, metricNames } from "../../runtime/report/metric";
import type { Chart, Series } from "../sweep/results/curves";
import { metricText } from "../sweep/results/metric-text";
import type { LoggedStep } from "./csv-steps";
import type { RunRecord } from "./runs";

/** `decimals` null: known by its digits, such as a learning rate. */
export type RunChart = Omit<Chart, "decimals"> & { readonly decimals: number | null };

/** More points than this are more than a chart has pixels; each is then the mean over a span of steps. */
const mostPoints = 400;

interface Quantity {
  readonly title: string;
  readonly unit: string;
  readonly decimals: number | null;
  readonly of: (step: LoggedStep) => number | undefined;
}

const quantities: readonly Quantity[] = [
  { title: "loss", unit: "", decimals: 4, of: ({ loss }) => loss },
  { title: "regularizer", unit: "", decimals: 4, of: ({ regularizer }) => regularizer },
  { title: "learning rate", unit: "", decimals: null, of: ({ lr }) => lr },
  { title: "weight decay", unit: "", decimals: null, of: ({ weightDecay }) => weightDecay },
  { title: "EMA momentum", unit: "", decimals: 5, of: ({ momentum }) => momentum },
  { title: "gradient norm", unit: "", decimals: null, of: ({ gradientNorm }) => gradientNorm },
  { title: "images per second", unit: "", decimals: 1, of: ({ imagesPerSecond }) => imagesPerSecond },
];

interface Point {
  readonly step: number;
  readonly value: number;
}

/** What was logged at two steps at least; and the names of what was measured only once. */
export function chartsOf(runs: readonly RunRecord[]): {
  readonly charts: readonly RunChart[];
  readonly once: readonly string[];
} {
  const bySteps = quantities.flatMap(({ title, unit, decimals, of }) => {
    const curves = runs.map(({ steps }) =>
      thinned(
        steps.flatMap((step) => {
          const value = of(step);
          return value !== undefined && Number.isFinite(value) ? [{ step: step.step, value }] : [];
        }),
      ),
    );
    const span = Math.max(...curves.map(({ span: steps }) => steps));
    const hint = span === 1 ? "by logged step" : `means of up to ${span} logged steps`;
    return chartOf(
      { title, unit, decimals, hint, byStep: true },
      curves.map(({ points }) => points),
    );
  });
  const names = [...new Set(runs.flatMap(({ events }) => metricNames(events)))].filter((name) => name !== "loss");
  const once: string[] = [];
  const evaluated = names.flatMap((name) => {
    const { title, unit, scale, decimals } = metricText(name);
    const curves = runs.map(({ events }) =>
      metricCurve(events, name).map(({ step, value }) => ({ step, value: scale * value })),
    );
    const charts = chartOf({ title, unit, decimals, hint: "by evaluation", byStep: false }, curves);
    if (charts.length === 0) once.push(title);
    return charts;
  });
  return { charts: [...bySteps, ...evaluated], once };
}

function chartOf(about: Omit<RunChart, "x" | "series">, curves: readonly (readonly Point[])[]): readonly RunChart[] {
  const x = [...new Set(curves.flatMap((points) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  if (x.length < 2) return [];
  const series = curves.flatMap((points, group): readonly Series[] => {
    if (points.length === 0) return [];
    const values = new Map(points.map(({ step, value }) => [step, Number(value.toPrecision(6))]));
    return [{ group, label: "", isMean: true, failed: false, y: x.map((step) => values.get(step) ?? null) }];
  });
  return [{ ...about, x, series }];
}

function thinned(points: readonly Point[]): { readonly points: readonly Point[]; readonly span: number } {
  const span = Math.max(1, Math.ceil(points.length / mostPoints));
  if (span === 1) return { points, span };
  const means = Array.from({ length: Math.ceil(points.length / span) }, (_, i) => {
    const part = points.slice(i * span, (i + 1) * span);
    const value = part.reduce((sum, point) => sum + point.value, 0) / part.length;
    return { step: part.at(-1)?.step ?? 0, value };
  });
  return { points: means, span };
}
