/** The tables of results.html: cells as its templates read them. Handlebars escapes what they write. */
import { printable } from "../../../compiler/diagnostics/problem-text";
import { meanText, metricText } from "./metric-text";
import type { Results } from "./results";
import { notesTitle, pointsTable, stateTitle, summaryTable, type Table, toTheBest } from "./tables";

interface HtmlCell {
  readonly text: string;
  readonly by: string | number;
  readonly isNumber: boolean;
  readonly isNote: boolean;
  /** A state, which has a coloured dot. */
  readonly state: string;
  readonly strip: Strip | null;
}

const emptyCell: HtmlCell = { text: "", by: "", isNumber: false, isNote: false, state: "", strip: null };

/** The seeds of a group as dots on a line, the same line for all groups. */
interface Strip {
  readonly width: number;
  readonly seeds: readonly string[];
  readonly mean: string;
  readonly label: string;
}

function filled({ columns, rows }: Table, groupOfRow: ReadonlyMap<string, number | undefined>) {
  return {
    columns: columns.map(({ title, isNumber }) => ({ title: printable(title), isNumber })),
    rows: rows.map(({ name, isBest, cells }) => ({
      isBest,
      group: groupOfRow.get(name) ?? "",
      cells: cells.map(
        ({ text, by }, c): HtmlCell => ({
          ...emptyCell,
          text: printable(text),
          by: typeof by === "string" ? printable(by) : (by ?? ""),
          isNumber: columns[c]?.isNumber === true,
          isNote: columns[c]?.title === notesTitle,
          state: columns[c]?.title === stateTitle ? text : "",
        }),
      ),
    })),
  };
}

/** A row for each group, with a picture of the spread after the mean, and the notes before they run out of the page. */
export function groupsTable(results: Results) {
  const table = notesForward(summaryTable(results, { allMetrics: true }));
  const { columns, rows } = filled(table, groupPlaces(results));
  const strips = stripsOf(results);
  const after = columns.findIndex(({ title }) => title === toTheBest);
  if (after < 0 || strips.size < 2) return { columns, rows };
  return {
    columns: columns.toSpliced(after, 0, { title: "", isNumber: false }),
    rows: rows.map((row, r) => {
      const strip = strips.get(results.groups[r]?.name ?? "") ?? null;
      const by = strip === null ? "" : Number(strip.mean);
      return { ...row, cells: row.cells.toSpliced(after, 0, { ...emptyCell, by, strip }) };
    }),
  };
}

/** A row for each point. */
export function pointRows(results: Results) {
  const places = groupPlaces(results);
  return filled(pointsTable(results), new Map(results.points.map(({ name, group }) => [name, places.get(group)])));
}

const groupPlaces = ({ groups }: Results): ReadonlyMap<string, number> =>
  new Map(groups.map(({ name }, place) => [name, place]));

function notesForward({ columns, rows }: Table): Table {
  const to = columns.findIndex(({ title }) => title === toTheBest) + 1;
  if (to === 0 || columns.at(-1)?.title !== notesTitle) return { columns, rows };
  const moved = <T>(list: readonly T[]): readonly T[] => [
    ...list.slice(0, to),
    ...list.slice(-1),
    ...list.slice(to, -1),
  ];
  return { columns: moved(columns), rows: rows.map((row) => ({ ...row, cells: moved(row.cells) })) };
}

function stripsOf({ groups, points, sweep }: Results): ReadonlyMap<string, Strip> {
  const { name } = sweep.metric;
  const found = groups.flatMap((group) => {
    const metric = group.metrics[name];
    return metric === undefined ? [] : [{ group, metric }];
  });
  const [low, high] = [
    Math.min(...found.map(({ metric }) => metric.min)),
    Math.max(...found.map(({ metric }) => metric.max)),
  ];
  const width = 150;
  const place = (value: number): string =>
    (high === low ? width / 2 : 5 + ((value - low) / (high - low)) * (width - 10)).toFixed(1);
  return new Map(
    found.map(({ group, metric }) => [
      group.name,
      {
        width,
        seeds: points
          .filter((point) => point.group === group.name && point.state !== "failed")
          .flatMap(({ curves }) => curves[name]?.find(({ epoch }) => epoch === metric.epoch)?.value ?? [])
          .map(place),
        mean: place(metric.mean),
        label: meanText(metricText(name), metric),
      },
    ]),
  );
}
