/** results.csv: one row for every point, numbers as they are (RFC 4180). */
import { stringify } from "csv-stringify/sync";
import type { JsonValue } from "../../../compiler/spec/json";
import type { Results } from "./results";

type Cell = string | number | null;

/**
 * Columns: what the point is (`axis:<name>` is its label, `set:<pointer>` the value), how far it came, its numbers (each
 * metric with its epoch, and an accuracy with its standard error), and what it ran on.
 */
export function csvText({ sweep, points, metrics }: Results): string {
  const pointers = [...new Set(points.flatMap(({ values }) => Object.keys(values)))];
  const hasError = (name: string): boolean => points.some((point) => point.metrics[name]?.standardError != null);
  const rows = points.map((point): readonly (readonly [column: string, cell: Cell])[] => [
    ["index", point.index],
    ["name", point.name],
    ["group", point.group],
    ...sweep.axes.map(({ name }): [string, Cell] => [`axis:${name}`, point.labels[name] ?? null]),
    ...pointers.map((pointer): [string, Cell] => [`set:${pointer}`, valueCell(point.values[pointer])]),
    ["seed", point.seed],
    ["state", point.state],
    ["stepsDone", point.stepsDone],
    ["steps", point.steps],
    ["epochsDone", point.epochsDone],
    ["epochs", point.epochs],
    ["lastLoss", point.lastLoss],
    ...metrics.flatMap((name): [string, Cell][] => {
      const found = point.metrics[name];
      return [
        [name, found?.value ?? null],
        [`${name}:epoch`, found?.epoch ?? null],
        ...(hasError(name) ? [[`${name}:standardError`, found?.standardError ?? null] satisfies [string, Cell]] : []),
      ];
    }),
    ["imagesPerSecond", point.imagesPerSecond],
    ["wallSeconds", point.wallMs === null ? null : point.wallMs / 1000],
    ["engine", point.engine],
    ["specHash", point.specHash],
    ["generatorHash", point.generatorHash],
    ["message", point.message],
  ]);
  const columns = (rows[0] ?? []).map(([column]) => column);
  const cells = [columns, ...rows.map((row) => row.map(([, cell]) => cell))];
  return stringify(
    cells.map((row) => row.map((cell) => (typeof cell === "string" ? inert(cell) : cell))),
    // It would only quote the two of them together.
    { record_delimiter: "windows", quoted_match: /[\r\n]/ },
  );
}

function valueCell(value: JsonValue | undefined): Cell {
  if (typeof value === "number" || typeof value === "string") return value;
  return value === undefined ? null : JSON.stringify(value);
}

/** A spreadsheet would run text that begins like a formula: a spec may come from a stranger. */
const inert = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
