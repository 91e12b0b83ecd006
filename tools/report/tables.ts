/** The tables of a report: plain text, with what each cell is sorted by. */
import { resultTable } from "../../runtime/evaluate/evaluation-report";
import { durationText, rateText } from "../../runtime/report/text";
import { isOwn, loggedProbes, type ProbeValue } from "../evaluate/logged";
import { encoderWords } from "../evaluate/result";
import type { RunRecord, RunState } from "./runs";

export interface Cell {
  readonly text: string;
  readonly by: string | number;
  /** Of a run's state, for its dot. */
  readonly state?: RunState;
  /** Of what it names. */
  readonly link?: string;
}

export interface Row {
  /** Place of the run, for its colour; null of rows that are about all runs. */
  readonly run: number | null;
  readonly isMarked: boolean;
  readonly cells: readonly Cell[];
}

export interface Table {
  readonly columns: readonly { readonly title: string; readonly isNumber: boolean }[];
  readonly rows: readonly Row[];
}

const text = (value: string): Cell => ({ text: value, by: value });
const number = (value: number | null, shown: (value: number) => string = String): Cell =>
  value === null || !Number.isFinite(value) ? text("") : { text: shown(value), by: value };
const isNumeric = (value: string): boolean => value !== "" && Number.isFinite(Number(value));
const columns = (names: readonly string[], numbersFrom: number) =>
  names.map((title, i) => ({ title, isNumber: i >= numbersFrom }));

/** What each run came to and what it took. */
export function costTable(runs: readonly RunRecord[]): Table {
  return {
    columns: [
      ...columns(["run", "state", "engine"], 3),
      ...columns(["steps", "images seen", "images/s", "training time", "wall time", "starts"], 0),
    ],
    rows: runs.map(({ label, state, message, cost }, run) => ({
      run,
      isMarked: false,
      cells: [
        text(label),
        { text: message === null ? state : `${state}: ${message}`, by: state, state },
        text([cost.engine, cost.node === null ? null : `Node ${cost.node}`].filter(Boolean).join(", ")),
        number(cost.stepsDone, (done) => (done === cost.steps ? String(done) : `${done} of ${cost.steps}`)),
        number(cost.images, (images) => images.toLocaleString("en")),
        number(cost.trainingMs === null ? null : (1000 * cost.images) / cost.trainingMs, rateText),
        number(cost.trainingMs, durationText),
        number(cost.wallMs, durationText),
        number(cost.starts),
      ],
    })),
  };
}

/** The newest evaluation of every run that has one; null where none has. */
export function evaluationTable(runs: readonly RunRecord[]): Table | null {
  const found = runs.flatMap(({ label, evaluation }, run) =>
    evaluation === null ? [] : [{ label, run, step: evaluation.step, table: resultTable(evaluation.report) }],
  );
  if (found.length === 0) return null;
  const names = [...new Set(found.flatMap(({ table }) => table.columns))];
  return {
    columns: [
      ...columns(["run", "representation"], 2),
      ...columns(["step", ...names.map((name) => (/, (linear probe|k-NN)$/.test(name) ? `${name} (%)` : name))], 0),
    ],
    rows: found.flatMap(({ label, run, step, table }) =>
      table.rows.map(({ name, cells }) => ({
        run,
        isMarked: false,
        cells: [
          text(label),
          text(name),
          number(step),
          ...names.map((column) => {
            const at = table.columns.indexOf(column);
            const shown = at < 0 ? "" : (cells[at] ?? "");
            return isNumeric(shown) ? number(Number(shown), () => shown) : text(shown);
          }),
        ],
      })),
    ),
  };
}

/** What `ijepa evaluate` found of checkpoints of the runs, the newest of each measure; null where it was not called. */
export function probesTable(runs: readonly RunRecord[]): Table | null {
  const found = runs.map(({ label, events }, run) => ({ label, run, ...loggedProbes(events) }));
  const tasks = [...new Set(found.flatMap((one) => one.tasks))];
  const all = found.flatMap(({ rows }) => rows);
  if (all.length === 0) return null;
  const hasSignals = all.some(({ signal }) => signal !== null);
  const hasOtherData = all.some(({ data }) => !isOwn(data));
  const value = (shown: ProbeValue | null | undefined): Cell => shown ?? text("");
  const names = ["run", "measure", "features", ...(hasOtherData ? ["data"] : [])];
  return {
    columns: [
      ...columns(names, names.length),
      ...columns(["step", ...tasks.map((task) => `${task} (%)`), ...(hasSignals ? ["signal"] : [])], 0),
    ],
    rows: found.flatMap(({ label, run, rows }) =>
      rows.map(({ measure, features, encoder, data, step, accuracies, signal }) => ({
        run,
        isMarked: false,
        cells: [
          text(label),
          text(measure),
          text(encoder === encoderWords.context ? `${features}, ${encoder}` : features),
          ...(hasOtherData ? [text(isOwn(data) ? "its own" : data)] : []),
          number(step),
          ...tasks.map((task) => value(accuracies.get(task))),
          ...(hasSignals ? [value(signal)] : []),
        ],
      })),
    ),
  };
}

/** Of a single run, whose name stands above: the table without it. */
export function withoutRun({ columns: [, ...others], rows }: Table): Table {
  return { columns: others, rows: rows.map((row) => ({ ...row, run: null, cells: row.cells.slice(1) })) };
}

/** Lists that are long and derived: the picture of masks tells more. */
const leftOut = /^(masks\.(sizes|contextSizes|programs)|specHash|trainingHash)(\.|$)/;

/** Every constant of the experiments, one row each; marked where runs differ in it, and those rows first. */
export function fieldsTable(runs: readonly RunRecord[]): Table {
  const values = runs.map(({ experiment }) => new Map(leaves(experiment)));
  const names = [...new Set(values.flatMap((of) => [...of.keys()]))].filter((name) => !leftOut.test(name));
  const rows = names.map((name): Row => {
    const cells = values.map((of) => of.get(name) ?? "");
    return {
      run: null,
      isMarked: new Set(cells).size > 1,
      cells: [text(name), ...cells.map((value) => (isNumeric(value) ? number(Number(value)) : text(value)))],
    };
  });
  return {
    columns: columns(["field", ...runs.map(({ label }) => label)], runs.length + 1),
    rows: [...rows.filter(({ isMarked }) => isMarked), ...rows.filter(({ isMarked }) => !isMarked)],
  };
}

function leaves(value: unknown, path = ""): readonly (readonly [path: string, value: string])[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) return [[path, value.join(", ")]];
  if (typeof value !== "object" || value === null) return [[path, String(value ?? "none")]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}
