/** The pages of `ijepa serve`: the list of runs, and the report of one that keeps itself up to date. */
import { printable } from "../../compiler/diagnostics/problem-text";
import { metricCurve, metricNames } from "../../runtime/report/metric";
import { durationText, rateText } from "../../runtime/report/text";
import { ownAccuracies } from "../evaluate/logged";
import { loadPage } from "../page/page";
import { filled, reportHtml } from "../report/html";
import type { RunRecord } from "../report/runs";
import type { Section } from "../report/section";
import type { Cell, Table } from "../report/tables";
import { metricText, numberText, titleWithUnit } from "../sweep/results/metric-text";
import { type NamedRun, whyNot } from "./live-runs";

export const addressOf = (name: string): string => `/run/${name.split("/").map(encodeURIComponent).join("/")}`;

/** Where the server tells of changes of a run, or of all. */
export const eventsOf = (name: string | null): string => `/events${name === null ? "" : addressOf(name)}`;

export interface RunPage {
  readonly name: string;
  readonly run: RunRecord;
  readonly sections: readonly Section[];
  readonly version: string;
}

export function runPage({ name, run, sections, version }: RunPage): string {
  const live = { events: eventsOf(name), version };
  return reportHtml({ title: run.label, runs: [run], sections, notes: [] }, live);
}

/** Also where there is no run yet: the page waits for one. */
export function listPage(folder: string, runs: readonly NamedRun[], version: string): string {
  const page = loadPage(
    {
      template: "serve/list.html.hbs",
      partials: { table: "report/table.html.hbs" },
      styles: ["report/report.css"],
      scripts: ["serve/live.js"],
    },
    { connects: true },
  );
  const read = runs.flatMap(({ name, read: one }) => (one.ok ? [{ name, run: one.run }] : []));
  return page.template({
    policy: page.policy,
    live: { events: eventsOf(null), version },
    style: page.style,
    script: page.script,
    title: printable(`runs in ${folder}`),
    notes: runs.flatMap(({ name, read: one }) => (one.ok ? [] : [printable(`${name}: ${whyNot(one.problem)}.`)])),
    isEmpty: runs.length === 0,
    data: '{"groups":[],"charts":[],"unit":"step"}',
    runs: filled("runs", listTable(read)),
  });
}

function listTable(runs: readonly { readonly name: string; readonly run: RunRecord }[]): Table {
  const metrics = [...new Set(runs.flatMap(({ run }) => metricNames(run.events)))];
  const probed = runs.map(({ run }) => ownAccuracies(run.events));
  const probes = [...new Set(probed.flatMap((found) => [...found.keys()]))];
  return {
    columns: [
      { title: "run", isNumber: false },
      { title: "state", isNumber: false },
      ...["step", ...metrics.map((name) => titleWithUnit(metricText(name))), ...probes, "images/s", "time"].map(
        (title) => ({
          title,
          isNumber: true,
        }),
      ),
    ],
    rows: runs.map(({ name, run }, r) => ({
      run: null,
      isMarked: false,
      cells: cellsOf(name, run, { metrics, probes: probes.map((title) => probed[r]?.get(title) ?? null) }),
    })),
  };
}

interface Measured {
  readonly metrics: readonly string[];
  /** Accuracies in percent. */
  readonly probes: readonly (number | null)[];
}

function cellsOf(name: string, run: RunRecord, { metrics, probes }: Measured): readonly Cell[] {
  const { cost } = run;
  const rate = cost.trainingMs === null ? null : (1000 * cost.images) / cost.trainingMs;
  const last = (metric: string): number | null => metricCurve(run.events, metric).at(-1)?.value ?? null;
  return [
    { text: name, by: name, link: addressOf(name) },
    { text: run.state, by: run.state, state: run.state },
    { text: `${cost.stepsDone}/${cost.steps}`, by: String(cost.stepsDone) },
    ...metrics.map((metric): Cell => {
      const value = last(metric);
      return {
        text: value === null ? "" : numberText(metricText(metric), value),
        by: value === null ? "" : String(value),
      };
    }),
    ...probes.map((value): Cell => ({ text: value?.toFixed(1) ?? "", by: value ?? "" })),
    { text: rate === null ? "" : rateText(rate), by: rate === null ? "" : String(rate) },
    {
      text: cost.trainingMs === null ? "" : durationText(cost.trainingMs),
      by: cost.trainingMs === null ? "" : String(cost.trainingMs),
    },
  ];
}
