/** The result of an evaluation, and how it is printed. Accuracies are shares, 0…1. */
import type { CollapseSignals } from "./collapse";

export interface ReportTask {
  readonly name: string;
  readonly classes: number;
  /** Accuracy on the test images of always naming the class that is most frequent in training. */
  readonly chance: number;
}

export interface ReportRow {
  /** "target encoder", "random initialization" or "raw pixels (16×16)". */
  readonly representation: string;
  readonly dimension: number;
  /** In the order of the tasks of the report. */
  readonly tasks: readonly { readonly linearProbe: number; readonly knn: number; readonly l2: number }[];
  /** Of features of an encoder; null for pixels. */
  readonly collapse: CollapseSignals | null;
}

export interface EvaluationReport {
  readonly trainImages: number;
  readonly validationImages: number;
  readonly testImages: number;
  readonly neighbours: number;
  readonly tasks: readonly ReportTask[];
  readonly rows: readonly ReportRow[];
}

/** The largest standard error that an accuracy on so many images can have, at one half. */
export function standardError(images: number): number {
  return 0.5 / Math.sqrt(images);
}

/** What the numbers are, in sentences. */
export function explain({
  trainImages,
  validationImages,
  testImages,
  neighbours,
}: EvaluationReport): readonly string[] {
  return [
    `Accuracy in % on ${testImages} test images that neither training nor the choice of the probe saw; ` +
      `chance alone moves it by up to ±${percent(standardError(testImages))} (one standard error).`,
    `Linear probe: logistic regression on ${trainImages} training images, its L2 strength chosen on ` +
      `${validationImages} validation images.`,
    `k-NN: the ${Math.min(neighbours, trainImages)} nearest training images by cosine, weighted.`,
    "RankMe and spread are signals of collapse (towards 1 and 0), not scores: they may fall in a healthy run.",
  ];
}

/** Aligned text for a terminal: the tasks side by side, each above its columns. */
export function formatText(report: EvaluationReport): string {
  const { first, groups, body } = cellsOf(report);
  let column = 1;
  const placed = groups.map(({ name, columns }) => {
    const from = column;
    column += columns.length;
    const widths = columns.map((heading, c) => longest([heading, ...body.map((row) => row[from + c] ?? "")]));
    // A name that is longer than its columns makes the first of them wider.
    const missing = name.length - totalOf(widths);
    return { name, columns, from, widths: widths.map((width, c) => (c === 0 ? width + Math.max(missing, 0) : width)) };
  });
  const firstWidth = longest([first, ...body.map((row) => row[0] ?? "")]);
  const line = (head: string, textOf: (group: (typeof placed)[number]) => string): string =>
    [head.padEnd(firstWidth), ...placed.map(textOf)].join("   ").trimEnd();
  const aligned = (cells: readonly string[], widths: readonly number[]): string =>
    widths.map((width, c) => (cells[c] ?? "").padStart(width)).join("  ");
  const lines = [
    line("", ({ name, widths }) => name.padStart(totalOf(widths))),
    line(first, ({ columns, widths }) => aligned(columns, widths)),
    ...body.map((row) => line(row[0] ?? "", ({ from, widths }) => aligned(row.slice(from), widths))),
  ];
  lines.splice(2, 0, "─".repeat(longest(lines)));
  return [...lines, "", ...explain(report)].join("\n");
}

/** The table with one heading per column. */
export function resultTable(report: EvaluationReport): {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
} {
  const { groups, body } = cellsOf(report);
  return {
    columns: groups.flatMap(({ name, columns }) =>
      columns.map((column) => (name === "" ? column : `${name}, ${column}`)),
    ),
    rows: body.map(([name = "", ...cells]) => ({ name, cells })),
  };
}

/** A row on one line, e.g. `count: linear probe 45.1 %, k-NN 34.2 % · RankMe 13.2, spread 0.41`. */
export function rowLine(row: ReportRow, tasks: readonly { readonly name: string }[]): string {
  const results = row.tasks.map(
    ({ linearProbe, knn }, t) =>
      `${tasks[t]?.name ?? ""}: linear probe ${percent(linearProbe)} %, k-NN ${percent(knn)} %`,
  );
  const { collapse } = row;
  return [
    ...results,
    ...(collapse === null ? [] : [`RankMe ${rankText(collapse)}, spread ${spreadText(collapse)}`]),
  ].join(" · ");
}

/** A table for a README or a summary of CI. */
export function formatMarkdown(report: EvaluationReport): string {
  const { columns, rows } = resultTable(report);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(["representation", ...columns]),
    `| --- |${" ---: |".repeat(columns.length)}`,
    ...rows.map(({ name, cells }) => line([name, ...cells])),
    "",
    ...explain(report),
  ].join("\n");
}

/** The report with its sentences, for machines. */
export function formatJson(report: EvaluationReport): string {
  return `${JSON.stringify({ ...report, notes: explain(report) }, null, 2)}\n`;
}

/** The cells of the table as text, and its headings in groups: one per task. */
function cellsOf({ tasks, rows }: EvaluationReport): {
  readonly first: string;
  readonly groups: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly body: readonly (readonly string[])[];
} {
  const body = rows.map(({ representation, tasks: results, collapse }) => [
    representation,
    ...results.flatMap(({ linearProbe, knn }) => [percent(linearProbe), percent(knn)]),
    ...(collapse === null ? ["", ""] : [rankText(collapse), spreadText(collapse)]),
  ]);
  const chance = tasks.flatMap((task) => [percent(task.chance), percent(task.chance)]);
  return {
    first: "representation",
    groups: [
      ...tasks.map(({ name }) => ({ name, columns: ["linear probe", "k-NN"] })),
      { name: "", columns: ["RankMe", "spread"] },
    ],
    body: [...body, ["most frequent class", ...chance, "", ""]],
  };
}

const percent = (share: number): string => (100 * share).toFixed(1);
const rankText = ({ rankMe }: CollapseSignals): string => rankMe.toFixed(1);
const spreadText = ({ featureSpread }: CollapseSignals): string => featureSpread.toPrecision(2);

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

/** Of columns with two spaces between them. */
function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
}
