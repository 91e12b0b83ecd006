/** results.md: for the summary of a job, or a comment on a pull request. */
import { printable } from "../../../compiler/diagnostics/problem-text";
import type { Results } from "./results";
import { explain, pointsTable, statesText, summaryTable, type Table, troubled } from "./tables";

export function markdownText(results: Results): string {
  const { sweep, points, states } = results;
  const trouble = troubled(results);
  const lines = [
    `### ${escaped(sweep.name)}`,
    ...(sweep.description === "" ? [] : ["", escaped(sweep.description)]),
    "",
    `${points.length} ${points.length === 1 ? "point" : "points"}: ${statesText(states)}.`,
    "",
    ...tableLines(summaryTable(results, { allMetrics: true })),
    "",
    ...explain(results).map(escaped),
    ...(trouble.length === 0 ? [] : ["", ...trouble.map(({ name, state, message }) => item(name, state, message))]),
    "",
    "<details><summary>Every point</summary>",
    "",
    ...tableLines(pointsTable(results)),
    "",
    "</details>",
  ];
  return `${lines.join("\n")}\n`;
}

function item(name: string, state: string, message: string | null): string {
  const why = message === null ? "" : `: ${message.trim().split("\n").map(escaped).join("<br>")}`;
  return `- **${state}** ${escaped(name)}${why}`;
}

function tableLines({ columns, rows }: Table): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const cell = (text: string, isBest: boolean): string =>
    isBest && text !== "" ? `**${escaped(text)}**` : escaped(text);
  return [
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map(({ isNumber }) => (isNumber ? "---:" : "---"))),
    ...rows.map(({ cells, isBest }) => line(cells.map(({ text }) => cell(text, isBest)))),
  ];
}

/** Text that can neither end a cell nor start markup, a mention, an emoji or a link; a colon before a space stays one. */
function escaped(text: string): string {
  const signs = /[\\`*_{}[\]<>|#~&!@$]|:(?=\S)|(?<=www)\./gi;
  return printable(text).replaceAll(signs, (sign) => `&#${sign.charCodeAt(0)};`);
}
