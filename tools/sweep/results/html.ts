/** results.html (tools/page/page.ts says what every page keeps to). */
import { printable } from "../../../compiler/diagnostics/problem-text";
import { hueOf, jsonForPage, loadPage, type Page } from "../../page/page";
import { chartsOf } from "./curves";
import { groupsTable, pointRows } from "./html-tables";
import { meanText, metricText } from "./metric-text";
import type { GroupSummary, Results } from "./results";
import { pointStates } from "./results";
import { explain, troubled } from "./tables";

export function htmlText(results: Results): string {
  const { sweep, groups, points, states } = results;
  const { policy, style, script, template } = page();
  const { charts, once } = chartsOf(results);
  const colours = groupColours(results);
  const data = {
    groups: groups.map((group) => ({ label: labelOf(group), colour: colours(group.name) })),
    charts: charts.map((chart) => ({ ...chart, title: printable(chart.title) })),
    unit: "epoch",
  };
  return template({
    policy,
    style,
    script,
    data: jsonForPage(data),
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

/** By the order of the grid, so that a group keeps its colour whatever its rank is. */
function groupColours({ points }: Results): (group: string) => string {
  const order = [...new Set(points.map(({ group }) => group))];
  return (group) => {
    const place = order.indexOf(group);
    return hueOf(place, order.length);
  };
}

let loaded: Page | undefined;

/** Read once: results are written again and again while a sweep runs. */
function page(): Page {
  loaded ??= loadPage({
    template: "results/page.html.hbs",
    partials: { table: "results/table.html.hbs", strip: "results/strip.html.hbs" },
    styles: [],
    scripts: [],
  });
  return loaded;
}
