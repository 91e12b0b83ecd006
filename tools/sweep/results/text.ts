/** The results for a terminal. */
import pico from "picocolors";
import { printable } from "../../../compiler/diagnostics/problem-text";
import { metricText } from "./metric-text";
import type { Results } from "./results";
import { explain, statesText, summaryTable, type Table, troubled } from "./tables";

/** Aligned; the best group has a mark that colour only underlines. */
export function resultsText(results: Results, { colour }: { readonly colour: boolean }): string {
  const paint = pico.createColors(colour);
  const table = summaryTable(results, { allMetrics: false });
  const trouble = troubled(results).map(
    ({ name, state, message }) =>
      `${paint.red(state)} ${printable(name)}${message === null ? "" : `: ${indented(message)}`}`,
  );
  const lines = [
    `${paint.bold(printable(results.sweep.name))}: ${count(results.points.length)}, ${statesText(results.states)}`,
    "",
    ...tableLines(table, paint),
    "",
    ...explain(results).map((line) => paint.dim(printable(line))),
    ...(trouble.length === 0 ? [] : ["", ...trouble]),
  ];
  return `${lines.join("\n")}\n`;
}

const count = (points: number): string => `${points} ${points === 1 ? "point" : "points"}`;

const indented = (message: string): string => message.trim().split("\n").map(printable).join("\n  ");

function tableLines({ columns, rows }: Table, paint: ReturnType<typeof pico.createColors>): readonly string[] {
  const widths = columns.map(({ title }, c) =>
    Math.max(printable(title).length, ...rows.map(({ cells }) => printable(cells[c]?.text ?? "").length)),
  );
  const line = (mark: string, texts: readonly string[]): string =>
    [
      mark,
      ...texts.map((text, c) => {
        const width = widths[c] ?? 0;
        return columns[c]?.isNumber === true ? printable(text).padStart(width) : printable(text).padEnd(width);
      }),
    ]
      .join("  ")
      .trimEnd();
  return [
    paint.bold(
      line(
        " ",
        columns.map(({ title }) => title),
      ),
    ),
    ...rows.map(({ cells, isBest }) => {
      const text = line(
        isBest ? "★" : " ",
        cells.map((cell) => cell.text),
      );
      return isBest ? paint.green(text) : text;
    }),
  ];
}

/** For a single line: `best enc-192: shape: linear probe 41.2 %`; null as long as there is none. */
export function bestText({ sweep, groups, best }: Results): string | null {
  const metric = groups.find(({ name }) => name === best)?.metrics[sweep.metric.name];
  if (best === null || metric === undefined) return null;
  const { title, unit, scale, decimals } = metricText(sweep.metric.name);
  return `best ${printable(best)}: ${printable(title)} ${(scale * metric.mean).toFixed(decimals)}${unit === "" ? "" : ` ${unit}`}`;
}
