/** The last words of a run: how good the features are, where the files lie, what to run next. */
import { durationText, rateText } from "./text";

export interface ResultTable {
  /** Names of the columns, e.g. "k-NN", "linear". */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

export interface SummaryFile {
  readonly path: string;
  readonly what: string;
}

export interface Summary {
  readonly headline: string;
  readonly table: ResultTable | null;
  /** What the numbers of the table are; under it. */
  readonly tableNote: string | null;
  readonly files: readonly SummaryFile[];
  readonly next: readonly { readonly command: string; readonly what: string }[];
}

export function summaryText(summary: Summary): string {
  const parts = [summary.headline];
  if (summary.table !== null) parts.push(tableText(summary.table));
  if (summary.tableNote !== null) parts.push(summary.tableNote);
  if (summary.files.length > 0) {
    parts.push(`Files\n${columns(summary.files.map(({ path, what }) => [path, what]))}`);
  }
  if (summary.next.length > 0) {
    parts.push(`Next\n${summary.next.map(({ command, what }) => `  ${what}:\n    ${command}`).join("\n")}`);
  }
  return parts.join("\n\n");
}

/** Names to the left, numbers to the right. */
export function tableText(table: ResultTable): string {
  const lines = [["", ...table.columns], ...table.rows.map((row) => [row.name, ...row.cells])];
  const width = (column: number): number => Math.max(...lines.map((line) => (line[column] ?? "").length));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))))
        .join("  ")
        .replace(/^/, "  ")
        .trimEnd(),
    )
    .join("\n");
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

export function doneText(what: {
  readonly steps: number;
  /** Steps of this run of the program, their images and time. */
  readonly stepsHere: number;
  readonly imagesHere: number;
  readonly wallMs: number;
}): string {
  if (what.stepsHere === 0) return `All ${what.steps} steps were done before.`;
  const rate = `${durationText(what.wallMs)} (${rateText(what.imagesHere / (what.wallMs / 1000))} images/s)`;
  if (what.stepsHere === what.steps) return `Done: ${what.steps} steps in ${rate}.`;
  return `Done: ${what.steps} steps, the last ${what.stepsHere} of them in ${rate}.`;
}
