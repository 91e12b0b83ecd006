/** The page of a report. What every page keeps to stands in tools/page/page.ts. */
import { printable } from "../../compiler/diagnostics/problem-text";
import { explain } from "../../runtime/evaluate/evaluation-report";
import { loggedProbes } from "../evaluate/logged";
import { hueOf, jsonForPage, loadPage } from "../page/page";
import { chartsOf } from "./curves";
import type { RunRecord } from "./runs";
import type { Section } from "./section";
import { costTable, evaluationTable, fieldsTable, probesTable, type Table, withoutRun } from "./tables";

/** Every report says this of itself, so that no other file is written over. */
export const reportMark = '<meta name="generator" content="ijepa report">';

export interface ReportPage {
  readonly title: string;
  readonly runs: readonly RunRecord[];
  /** Pictures: masks and features. */
  readonly sections: readonly Section[];
  /** What could not be shown, as sentences. */
  readonly notes: readonly string[];
}

/** Of a page that keeps itself up to date. */
export interface Live {
  /** Where the server tells of changes. */
  readonly events: string;
  /** Of what the page shows. */
  readonly version: string;
}

/** `live`: a server gives the page; left out, it stands for itself. */
export function reportHtml({ title, runs, sections, notes }: ReportPage, live: Live | null = null): string {
  const page = loadPage(
    {
      template: "report/page.html.hbs",
      partials: { table: "report/table.html.hbs" },
      styles: ["report/report.css"],
      scripts: live === null ? [] : ["serve/live.js"],
    },
    { images: true, connects: live !== null },
  );
  const { charts, once } = chartsOf(runs);
  const named = (table: Table): Table => (runs.length === 1 ? withoutRun(table) : table);
  const evaluations = evaluationTable(runs);
  const probes = probesTable(runs);
  const evaluated = runs.find(({ evaluation }) => evaluation !== null)?.evaluation ?? null;
  return page.template({
    mark: reportMark,
    live,
    policy: page.policy,
    style: page.style,
    script: page.script,
    title: printable(title),
    notes: notes.map(printable),
    data: jsonForPage({
      groups: runs.map(({ label }, run) => ({ label: printable(label), colour: hueOf(run, runs.length) })),
      charts: charts.map((chart) => ({ ...chart, title: printable(chart.title) })),
      unit: "step",
    }),
    facts: runs.map(({ label, state, experiment: { encoder, image, optimizer } }) => ({
      label: printable(label),
      state,
      what:
        `${encoder.depth} × ${encoder.dim} encoder, ${image.height}×${image.width} px in ${image.patch} px patches, ` +
        `${optimizer.epochs} epochs of batch ${optimizer.globalBatch}`,
    })),
    cost: runs.length === 0 ? null : filled("cost", named(costTable(runs))),
    evaluations: evaluations === null ? null : filled("evaluations", named(evaluations)),
    explanations: evaluated === null ? [] : explain(evaluated.report).map(printable),
    probes: probes === null ? null : filled("probes", named(probes)),
    probeNotes: probeNotes(runs).map(printable),
    fields: runs.length === 0 ? null : filled("fields", fieldsTable(runs)),
    areSeveral: runs.length > 1,
    parts: partsOf([
      { at: "curves", title: "Curves", isThere: charts.length > 0 },
      { at: "evaluation", title: "Evaluation", isThere: evaluations !== null },
      { at: "probes", title: "Probes of checkpoints", isThere: probes !== null },
      ...sections.map(({ title }, i) => ({ at: `pictures-${i}`, title, isThere: true })),
      { at: "cost", title: "Cost", isThere: runs.length > 0 },
      { at: "experiment", title: "Experiment", isThere: runs.length > 0 },
    ]),
    hasCurves: charts.length > 0,
    once: printable(once.join(", ")),
    sections: sections.map((section, i) => ({
      ...section,
      at: `pictures-${i}`,
      title: printable(section.title),
      notes: section.notes.map(printable),
    })),
  });
}

interface Part {
  /** Of its heading, within the page. */
  readonly at: string;
  readonly title: string;
  readonly isThere: boolean;
}

/** Links to the parts that there are; none where there is one alone. */
function partsOf(parts: readonly Part[]): readonly { readonly at: string; readonly title: string }[] {
  const found = parts.filter(({ isThere }) => isThere);
  return found.length < 2 ? [] : found.map(({ at, title }) => ({ at: `part-${at}`, title: printable(title) }));
}

/** What was chosen, run by run, and what is measured. */
function probeNotes(runs: readonly RunRecord[]): readonly string[] {
  const found = runs.map(({ label, events }) => ({ label, ...loggedProbes(events) }));
  const of = (label: string): string => (runs.length > 1 ? `${label}, ` : "");
  const choices = found.flatMap(({ label, choices: lines }) => lines.map((line) => `${of(label)}${line}.`));
  return [...new Set([...found.flatMap(({ notes }) => notes), ...choices])];
}

/** Signs of a cell that stays on one line. */
const longest = 40;

/** As the template reads it. Handlebars escapes what it writes. */
export function filled(id: string, { columns, rows }: Table) {
  return {
    id,
    columns: columns.map(({ title, isNumber }) => ({ title: printable(title), isNumber })),
    rows: rows.map(({ run, isMarked, cells }) => ({
      run,
      hasRun: run !== null,
      isMarked,
      cells: cells.map(({ text, by, state = "", link = null }, c) => ({
        link,
        text: printable(text),
        by: typeof by === "string" ? printable(by) : by,
        state,
        isNumber: columns[c]?.isNumber === true,
        isLong: columns[c]?.isNumber !== true && text.length > longest,
      })),
    })),
  };
}
