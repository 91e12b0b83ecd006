/**
 * results.html: one file that needs no network. Text of specs and runs goes through Handlebars' escaping, or into the page as
 * JSON without `<`; and the page allows no script and no style but its own, by their hashes.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Handlebars from "handlebars";
import { printable } from "../../../compiler/diagnostics/problem-text";
import { packageRoot } from "../../../compiler/emit/package-root";
import { chartsOf } from "./curves";
import { groupsTable, pointRows } from "./html-tables";
import { meanText, metricText } from "./metric-text";
import type { GroupSummary, Results } from "./results";
import { pointStates } from "./results";
import { explain, troubled } from "./tables";

export function htmlText(results: Results): string {
  const { sweep, groups, points, states } = results;
  const { style, script, template } = page();
  const { charts, once } = chartsOf(results);
  const colours = groupColours(results);
  const data = {
    groups: groups.map((group) => ({ label: labelOf(group), colour: colours(group.name) })),
    charts: charts.map((chart) => ({ ...chart, title: printable(chart.title) })),
  };
  return template({
    policy: `default-src 'none'; style-src ${sourceHash(style)}; script-src ${sourceHash(script)}`,
    style,
    script,
    // `<` could end the element or open a comment; the others end a line of script.
    data: JSON.stringify(data).replaceAll(
      /[<\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
    title: printable(sweep.name),
    description: printable(sweep.description),
    file: printable(sweep.file),
    pointCount: points.length,
    pointWord: points.length === 1 ? "point" : "points",
    states: pointStates.flatMap((state) => (states[state] === undefined ? [] : [{ state, count: states[state] }])),
    best: bestOf(results),
    summary: groupsTable(results),
    explanations: explain(results).map(printable),
    hasCurves: charts.length > 0,
    onlyAtEnd: printable(once.join(", ")),
    troubled: troubled(results).map(({ name, state, message }) => ({
      name: printable(name),
      state,
      message: (message ?? "It says nothing.").trim().split("\n").map(printable).join("\n"),
    })),
    points: pointRows(results),
    footer: `Base experiment ${printable(sweep.base)}. The same numbers are in results.csv and results.json beside this page.`,
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
    metric: printable(text.title),
    value: text.unit === "" ? meanText(text, metric) : `${meanText(text, metric)} ${text.unit}`,
  };
}

/** `width 192, patch 8` */
function labelOf({ labels, name }: Pick<GroupSummary, "labels" | "name">): string {
  const parts = Object.entries(labels).map(([axis, label]) => `${axis} ${label}`);
  return printable(parts.length === 0 ? name : parts.join(", "));
}

// biome-ignore format: one list
/** Ten hues that differ on white and on black and for most who see few of them; beyond that, hues a golden angle apart. */
const hues = [
  "#3b7dd8", "#e8863a", "#3aa06a", "#d14d5a", "#9467c9", "#b08b2e", "#2fa6b3", "#d97bb6", "#8a8f98", "#9a6a4b",
];

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
