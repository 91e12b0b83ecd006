/** The tables of a sweep as cells of text, for all that write them: terminal, Markdown and HTML. */
import { durationText, rateText } from "../../../runtime/report/text";
import { differenceText, meanText, metricText, numberText, titleWithUnit } from "./metric-text";
import type { GroupSummary, PointResult, PointState, Results } from "./results";
import { pointStates } from "./results";

export interface Column {
  readonly title: string;
  /** Set to the right. */
  readonly isNumber: boolean;
}

export interface Cell {
  readonly text: string;
  /** What it is sorted by; null comes last. */
  readonly by: number | string | null;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly { readonly name: string; readonly isBest: boolean; readonly cells: readonly Cell[] }[];
}

type Fill<Row> = readonly (Column & { readonly cell: (row: Row) => Cell })[];

const words = <Row>(title: string, text: (row: Row) => string): Fill<Row>[number] => ({
  title,
  isNumber: false,
  cell: (row) => ({ text: text(row), by: text(row) }),
});
const number = <Row>(
  title: string,
  by: (row: Row) => number | null,
  text: (row: Row, value: number) => string,
): Fill<Row>[number] => ({
  title,
  isNumber: true,
  cell: (row) => {
    const value = by(row);
    return { text: value === null ? "" : text(row, value), by: value };
  },
});

function tableOf<Row extends { readonly name: string }>(
  fill: Fill<Row>,
  rows: readonly Row[],
  best: string | null,
): Table {
  return {
    columns: fill.map(({ title, isNumber }) => ({ title, isNumber })),
    rows: rows.map((row) => ({
      name: row.name,
      isBest: row.name === best,
      cells: fill.map(({ cell }) => cell(row)),
    })),
  };
}

/** A label that is a number is sorted as one. */
function labelColumns<Row extends { readonly labels: Readonly<Record<string, string>>; readonly name: string }>(
  { sweep, points }: Results,
  nameTitle: string,
): Fill<Row> {
  if (sweep.axes.length === 0) return [words<Row>(nameTitle, ({ name }) => name)];
  return sweep.axes.map(({ name }) => {
    const isNumber = points.every(({ labels }) => /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(labels[name] ?? ""));
    return {
      title: name,
      isNumber,
      cell: (row: Row) => {
        const text = row.labels[name] ?? "";
        return { text, by: isNumber ? Number(text) : text };
      },
    };
  });
}

export interface SummaryTableOptions {
  /** Every metric, or only that of the sweep and the loss. */
  readonly allMetrics: boolean;
}

/** Columns that others look for. */
export const toTheBest = "to the best";
export const notesTitle = "notes";
export const stateTitle = "state";

/** A row for each group, best first. */
export function summaryTable(results: Results, { allMetrics }: SummaryTableOptions): Table {
  const { metric } = results.sweep;
  const main = metricText(metric.name);
  const others = results.metrics.filter((name) => name !== metric.name && (allMetrics || name === "loss"));
  const mean = (name: string): Fill<GroupSummary>[number] =>
    number<GroupSummary>(
      titleWithUnit(metricText(name)),
      ({ metrics }) => metrics[name]?.mean ?? null,
      ({ metrics }) => {
        const found = metrics[name];
        return found === undefined ? "" : meanText(metricText(name), found);
      },
    );
  const fill: Fill<GroupSummary> = [
    ...labelColumns<GroupSummary>(results, "experiment"),
    number<GroupSummary>(
      "seeds",
      ({ metrics }) => metrics[metric.name]?.n ?? 0,
      ({ points }, n) => (n === points.length ? String(n) : `${n} of ${points.length}`),
    ),
    mean(metric.name),
    {
      title: toTheBest,
      isNumber: true,
      cell: ({ name, comparison }) =>
        name === results.best
          ? { text: results.provisional ? "best so far" : "best", by: 0 }
          : { text: differenceText(main, comparison), by: comparison?.difference ?? null },
    },
    ...others.map(mean),
    ...speedColumns<GroupSummary>(),
    words<GroupSummary>(notesTitle, ({ notes }) => notes.join("; ")),
  ];
  // A column in which nothing stands says nothing.
  const shown = fill.filter(({ cell }) => results.groups.some((group) => cell(group).text !== ""));
  return tableOf(shown, results.groups, results.best);
}

function speedColumns<
  Row extends { readonly imagesPerSecond: number | null; readonly wallMs: number | null },
>(): Fill<Row> {
  return [
    number<Row>(
      "images/s",
      ({ imagesPerSecond }) => imagesPerSecond,
      (_, value) => rateText(value),
    ),
    number<Row>(
      "time",
      ({ wallMs }) => wallMs,
      (_, value) => durationText(value),
    ),
  ];
}

/** A row for each point, as in the grid. */
export function pointsTable(results: Results): Table {
  const metric = (name: string): Fill<PointResult>[number] => {
    const text = metricText(name);
    return number<PointResult>(
      titleWithUnit(text),
      ({ metrics }) => metrics[name]?.value ?? null,
      (_, value) => numberText(text, value),
    );
  };
  const fill: Fill<PointResult> = [
    ...labelColumns<PointResult>(results, "experiment"),
    number<PointResult>(
      "seed",
      ({ seed }) => seed,
      (_, seed) => String(seed),
    ),
    words<PointResult>(stateTitle, ({ state }) => state),
    number<PointResult>(
      "epochs",
      ({ epochsDone }) => epochsDone,
      ({ epochs }, done) => `${done} of ${epochs}`,
    ),
    ...results.metrics.map(metric),
    ...speedColumns<PointResult>(),
  ];
  return tableOf(fill, results.points, null);
}

/** `10 finished, 1 failed, 1 waiting` */
export function statesText(states: Results["states"]): string {
  return pointStates.flatMap((state) => (states[state] === undefined ? [] : [`${states[state]} ${state}`])).join(", ");
}

/** Points that did not reach their end, and why. */
export function troubled({ points }: Results): readonly PointResult[] {
  const states: readonly PointState[] = ["failed", "stopped", "interrupted", "stale"];
  return points
    .filter(({ state }) => states.includes(state))
    .sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state));
}

/** What the table means, in sentences. */
export function explain({ sweep, groups, best, provisional, testImages }: Results): readonly string[] {
  const { name, goal } = sweep.metric;
  const text = metricText(name);
  if (best === null) return [`No point has ${titleWithUnit(text)} yet, by which they are compared.`];
  const compared = groups.flatMap(({ comparison }) => comparison ?? []);
  const hasSeeds = groups.some(({ metrics }) => (metrics[name]?.n ?? 0) > 1);
  const sentences = [
    `Compared by ${titleWithUnit(text)}, ${goal === "max" ? "higher" : "lower"} is better` +
      `${hasSeeds ? "; mean ± standard deviation over seeds" : ""}.`,
  ];
  if (provisional) sentences.push("No group has reached its last epoch yet, so the best is provisional.");
  if (compared.some(({ epoch }) => epoch !== null)) {
    sentences.push("“at epoch”: both as they were at the end of that epoch, the last that the two have in common.");
  }
  if (compared.some(({ withinNoise }) => withinNoise === true)) {
    const images = testImages === null ? "" : ` or for ${testImages} test images, whichever is wider`;
    sentences.push(`“noise”: within the 95 % interval of the difference, over seeds (Welch)${images}.`);
  }
  if (groups.some(({ metrics }) => metrics[name]?.n === 1)) {
    sentences.push("A single seed says nothing of the spread between seeds.");
  }
  return sentences;
}
