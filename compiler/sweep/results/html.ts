/**
 * results.html: one file that needs no network. Text of specs and runs goes through Handlebars' escaping, or into the page as
 * JSON without `<`; and the page allows no script and no style but its own, by their hashes.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Handlebars from "handlebars";
import { packageRoot } from "../../emit/package-root";
import { chartsOf } from "./curves";
import { meanText, metricText } from "./metric-text";
import type { GroupSummary, Results } from "./results";
import { pointStates } from "./results";
import { explain, notesTitle, pointsTable, summaryTable, type Table, toTheBest, troubled } from "./tables";

export function htmlText(results: Results): string {
  const { sweep, groups, points, states } = results;
  const { style, script, template } = page();
  const { charts, once } = chartsOf(results);
  const colours = groupColours(results);
  const data = { groups: groups.map((group) => ({ label: labelOf(group), colour: colours(group.name) })), charts };
  const groupPlace = new Map(groups.map(({ name }, place) => [name, place]));
  const groupOfPoint = new Map(points.map(({ name, group }) => [name, groupPlace.get(group)]));
  return template({
    policy: `default-src 'none'; style-src ${sourceHash(style)}; script-src ${sourceHash(script)}`,
    style,
    script,
    // `<` could end the element or open a comment; the others end a line of script.
    data: JSON.stringify(data).replaceAll(
      /[<\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
    title: sweep.name,
    description: sweep.description,
    file: sweep.file,
    pointCount: points.length,
    pointWord: points.length === 1 ? "point" : "points",
    states: pointStates.flatMap((state) => (states[state] === undefined ? [] : [{ state, count: states[state] }])),
    best: bestOf(results),
    summary: withStrips(results, summaryTable(results, { allMetrics: true }), groupPlace),
    explanations: explain(results),
    hasCurves: charts.length > 0,
    onlyAtEnd: once.join(", "),
    troubled: troubled(results).map(({ name, state, message }) => ({
      name,
      state,
      message: message ?? "It says nothing.",
    })),
    points: filled(pointsTable(results), groupOfPoint),
    footer: `Base experiment ${sweep.base}. The same numbers are in results.csv and results.json beside this page.`,
  });
}

function bestOf({ groups, best, provisional, sweep }: Results) {
  const group = groups.find(({ name }) => name === best);
  const metric = group?.metrics[sweep.metric.name];
  if (group === undefined || metric === undefined) return null;
  const text = metricText(sweep.metric.name);
  return {
    title: provisional ? "Best so far" : "Best",
    name: labelOf(group),
    metric: text.title,
    value: text.unit === "" ? meanText(text, metric) : `${meanText(text, metric)} ${text.unit}`,
  };
}

/** `width 192, patch 8` */
function labelOf({ labels, name }: Pick<GroupSummary, "labels" | "name">): string {
  const parts = Object.entries(labels).map(([axis, label]) => `${axis} ${label}`);
  return parts.length === 0 ? name : parts.join(", ");
}

/** Ten hues that differ on white and on black and for most who see few of them; beyond that, hues a golden angle apart. */
const hues = [
  "#3b7dd8", "#e8863a", "#3aa06a", "#d14d5a", "#9467c9", "#b08b2e", "#2fa6b3", "#d97bb6", "#8a8f98", "#9a6a4b",
]; // biome-ignore format: one list

/** By the order of the grid, so that a group keeps its colour whatever its rank is. */
function groupColours({ points }: Results): (group: string) => string {
  const order = [...new Set(points.map(({ group }) => group))];
  return (group) => {
    const place = order.indexOf(group);
    return order.length <= hues.length
      ? (hues[place] ?? "")
      : `hsl(${Math.round((place * 137.508) % 360)} ${place % 2 === 0 ? 62 : 48}% ${place % 3 === 0 ? 48 : 58}%)`;
  };
}

interface HtmlCell {
  readonly text: string;
  readonly by: string | number;
  readonly isNumber: boolean;
  readonly isNote: boolean;
  readonly strip: Strip | null;
}

const emptyCell: HtmlCell = { text: "", by: "", isNumber: false, isNote: false, strip: null };

/** The seeds of a group as dots on a line, the same line for all groups. */
interface Strip {
  readonly width: number;
  readonly seeds: readonly string[];
  readonly mean: string;
  readonly label: string;
}

function filled({ columns, rows }: Table, groupOfRow: ReadonlyMap<string, number | undefined>) {
  return {
    columns,
    rows: rows.map(({ name, isBest, cells }) => ({
      isBest,
      group: groupOfRow.get(name) ?? "",
      cells: cells.map(
        ({ text, by }, c): HtmlCell => ({
          ...emptyCell,
          text,
          by: by ?? "",
          isNumber: columns[c]?.isNumber === true,
          isNote: columns[c]?.title === notesTitle,
        }),
      ),
    })),
  };
}

/** The table of groups, with a picture of the spread after the mean, and the notes before they run out of the page. */
function withStrips(results: Results, table: Table, groupPlace: ReadonlyMap<string, number>) {
  const { columns, rows } = filled(notesForward(table), groupPlace);
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

const sourceHash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

interface Page {
  readonly style: string;
  readonly script: string;
  readonly template: HandlebarsTemplateDelegate;
}

let loaded: Page | undefined;

/** Read once: results are written again and again while a sweep runs. */
function page(): Page {
  loaded ??= loadPage();
  return loaded;
}

function loadPage(): Page {
  const ours = (name: string): string => readFileSync(join(packageRoot(), "templates", "results", name), "utf8");
  const { resolve } = createRequire(import.meta.url);
  const library = (file: string): string => readFileSync(resolve(`uplot/dist/${file}`), "utf8");
  const handlebars = Handlebars.create();
  handlebars.registerPartial("table", ours("table.html.hbs"));
  handlebars.registerPartial("strip", ours("strip.html.hbs"));
  return {
    style: `${library("uPlot.min.css")}\n${ours("page.css")}`,
    script: `${library("uPlot.iife.min.js")}\n${ours("page.js")}`,
    template: handlebars.compile(ours("page.html.hbs"), { strict: true, knownHelpersOnly: true }),
  };
}
