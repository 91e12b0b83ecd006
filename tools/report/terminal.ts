/** Runs as tables for a terminal. */
import Table from "cli-table3";
import pico from "picocolors";
import { printable } from "../../compiler/diagnostics/problem-text";
import { formatText } from "../../runtime/evaluate/evaluation-report";
import { metricCurve, metricNames } from "../../runtime/report/metric";
import { durationText, rateText } from "../../runtime/report/text";
import { loggedProbes, ownAccuracies } from "../evaluate/logged";
import { metricText, numberText, titleWithUnit } from "../sweep/results/metric-text";
import type { RunRecord, RunState } from "./runs";
import { costTable, fieldsTable, probesTable } from "./tables";

export interface TerminalOptions {
  readonly colour: boolean;
}

/** A line for each run: how far it is, and what its newest evaluation says of the target encoder. */
export function runsText(runs: readonly RunRecord[], { colour }: TerminalOptions): string {
  const metrics = [...new Set(runs.flatMap(({ events }) => metricNames(events)))];
  const probed = runs.map(({ events }) => ownAccuracies(events));
  const probes = [...new Set(probed.flatMap((found) => [...found.keys()]))];
  const head = [
    "folder",
    "state",
    "step",
    ...metrics.map((name) => titleWithUnit(metricText(name))),
    ...probes,
    "images/s",
    "time",
  ];
  const body = runs.map((run, r) => {
    const { cost } = run;
    const rate = cost.trainingMs === null ? "" : rateText((1000 * cost.images) / cost.trainingMs);
    return [
      run.folder,
      run.state,
      `${cost.stepsDone}/${cost.steps}`,
      ...metrics.map((name) => lastOf(run, name)),
      ...probes.map((name) => probed[r]?.get(name)?.toFixed(1) ?? ""),
      rate,
      cost.trainingMs === null ? "" : durationText(cost.trainingMs),
    ];
  });
  return tableOf({ head, body, numbersFrom: 2, states: 1, colour });
}

/** One run: what it was, what it came to, its evaluation. */
export function runText(run: RunRecord, options: TerminalOptions): string {
  const cost = costTable([run]);
  const facts = cost.columns.flatMap(({ title }, c) => {
    const text = cost.rows[0]?.cells[c]?.text ?? "";
    return text === "" ? [] : [[title, text]];
  });
  const { evaluation } = run;
  const fields = fieldsTable([run]).rows.map(({ cells }) => cells.map(({ text }) => text));
  return [
    tableOf({ head: ["", ""], body: facts, numbersFrom: 2, states: null, ...options }),
    evaluation === null
      ? "Nothing was evaluated."
      : `After step ${evaluation.step}:\n\n${formatText(evaluation.report)}`,
    ...probesText(run, options),
    tableOf({ head: ["field", "value"], body: fields, numbersFrom: 2, states: null, ...options }),
  ].join("\n\n");
}

/** Nothing where `ijepa evaluate` was not called. */
function probesText(run: RunRecord, options: TerminalOptions): readonly string[] {
  const probes = probesTable([run]);
  if (probes === null) return [];
  const { choices, notes } = loggedProbes(run.events);
  const table = tableOf({
    head: probes.columns.slice(1).map(({ title }) => title),
    body: probes.rows.map(({ cells }) => cells.slice(1).map(({ text }) => text)),
    numbersFrom: probes.columns.findIndex(({ isNumber }) => isNumber) - 1,
    states: null,
    ...options,
  });
  return ["By ijepa evaluate:", table, [...choices, ...notes].map(printable).join("\n")];
}

/** Runs side by side: the list, and the fields that they differ in. */
export function comparisonText(runs: readonly RunRecord[], options: TerminalOptions): string {
  const { columns, rows } = fieldsTable(runs);
  const differing = rows.filter(({ isMarked }) => isMarked).map(({ cells }) => cells.map(({ text }) => text));
  const fields =
    differing.length === 0
      ? "They are runs of the same experiment."
      : tableOf({ head: columns.map(({ title }) => title), body: differing, numbersFrom: 1, states: null, ...options });
  return `${runsText(runs, options)}\n\n${fields}`;
}

function lastOf({ events }: RunRecord, name: string): string {
  const last = metricCurve(events, name).at(-1);
  return last === undefined ? "" : numberText(metricText(name), last.value);
}

const colours = {
  running: "blue",
  finished: "green",
  stopped: "yellow",
  interrupted: "yellow",
  failed: "red",
} as const satisfies { readonly [S in RunState]: string };

const isState = (text: string): text is RunState => Object.hasOwn(colours, text);

// biome-ignore format: one list
const noLines = {
  top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "",
  "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "",
};

interface TextTable {
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
  /** Columns from here on are aligned to the right. */
  readonly numbersFrom: number;
  /** The column of states. */
  readonly states: number | null;
  readonly colour: boolean;
}

function tableOf({ head, body, numbersFrom, states, colour }: TextTable): string {
  const paint = pico.createColors(colour);
  const table = new Table({
    head: head.map((title) => paint.dim(printable(title))),
    chars: noLines,
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [] },
    colAligns: head.map((_, c) => (c < numbersFrom ? "left" : "right")),
  });
  for (const cells of body) {
    table.push(
      cells.map((text, c) => {
        const shown = printable(text);
        return c === states && isState(text) ? paint[colours[text]](shown) : shown;
      }),
    );
  }
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
