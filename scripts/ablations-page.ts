/** The tables of docs/ablations.md: what the grids on the quickstart came to (docs/ablations.json) beside the paper's figures. */
import { join } from "node:path";
import { type ComparedRow, comparison, signed, verdict } from "./ablations-compare";
import { type PaperTable, paperTables } from "./ablations-paper";
import { ablationPicture } from "./ablations-picture";
import { markdownTable, pageWith, root } from "./regions";
import { mean, type Sample, sampleOf } from "./statistics";
import { meansOfTasks, type SweptGroup, type SweptRecord, sweptRecords, tasks, valuesOf } from "./sweeps-record";

const records = (): readonly SweptRecord[] => sweptRecords(join(root, "docs/ablations.json"));

export function ablationsPage(): string {
  return pageWith("docs/ablations.md", { tables: ablations(records()) });
}

/** The picture of every table that was run. */
export function ablationPictures(): readonly { readonly path: string; readonly text: string }[] {
  return trained(records()).map(({ table, rows }) => ({
    path: `docs/${pictureOf(table)}`,
    text: ablationPicture(table, rows),
  }));
}

const pictureOf = ({ table }: PaperTable): string => `images/ablations/table-${table}.svg`;

/** What they came to at a glance, a section for each table of the paper that was run, and the others by name. */
export function ablations(of: readonly SweptRecord[]): string {
  const found = trained(of);
  const missing = paperTables.filter((table) => !found.some((one) => one.table === table));
  const left = missing.map(({ table, sweep }) => `Table ${table} (${sweep})`).join(", ");
  return [
    ...(found.length === 0 ? [] : [overview(found)]),
    ...found.map(section),
    ...(left === "" ? [] : [`Not trained so far: ${left}.`]),
  ].join("\n\n");
}

interface Trained {
  readonly table: PaperTable;
  readonly record: SweptRecord;
  readonly rows: readonly Row[];
}

interface Row extends ComparedRow {
  readonly groups: readonly SweptGroup[];
}

/** Those of which two rows at least were recorded. */
function trained(of: readonly SweptRecord[]): readonly Trained[] {
  return paperTables.flatMap((table): Trained[] => {
    const record = of.find(({ sweep }) => sweep === table.sweep);
    if (record === undefined) return [];
    const rows = Object.entries(table.rows).flatMap(([label, [name, paper]]): Row[] => {
      const groups = record.groups.filter(({ labels }) => labels[table.axis ?? 0] === label);
      if (groups.length === 0) return [];
      return [{ name, paper, groups, bySeed: meansOf(groups, (group) => meansOfTasks(group, "linearProbe")) }];
    });
    return rows.length < 2 ? [] : [{ table, record, rows }];
  });
}

/** By seed, the mean over groups that share a row: those that differ in another axis. */
function meansOf(groups: readonly SweptGroup[], of: (group: SweptGroup) => readonly number[]): readonly number[] {
  const values = groups.map(of);
  return (values[0] ?? []).map((_, seed) => mean(values.map((one) => one[seed] ?? Number.NaN)));
}

function overview(found: readonly Trained[]): string {
  const rows = found.map(({ table: { table, title }, rows: compared }) => {
    const { inOrder, reversed, noise, tau } = comparison(compared);
    return [
      `${table}: ${lower(title)}`,
      ...[inOrder, reversed, noise].map(String),
      tau === null ? "" : signed(tau.mean),
    ];
  });
  return markdownTable(["table", "pairs in the paper's order", "the other way round", "within noise", "τ"], rows);
}

const lower = (title: string): string => title.charAt(0).toLowerCase() + title.slice(1);

function section({ table: of, record, rows }: Trained): string {
  const { table, title, note } = of;
  const { grid, engine, date, seeds } = record;
  const heads = ["", "paper", ...tasks.map((task) => `${task}, %`), "mean of the three, %"];
  const cells = rows.map(({ name, paper, groups, bySeed }) => [
    name,
    paper.toFixed(1),
    ...tasks.map((task) => percent(sampleOf(meansOf(groups, (group) => valuesOf(group, `${task}.linearProbe`))))),
    percent(sampleOf(bySeed)),
  ]);
  const epochs = [...new Set(rows.flatMap(({ groups }) => groups.map((group) => group.epochs)))].join(" and ");
  return [
    `## Table ${table}: ${lower(title)}`,
    markdownTable(heads, cells),
    `![${title}: accuracies of the paper and ours, row by row, each on a scale of its own](${pictureOf(of)})`,
    [verdict(rows), ...(note === undefined ? [] : [note])].join(" "),
    `[${grid.split("/").at(-1)}](../${grid}), ${epochs} epochs, seeds ${seeds.join(", ")}, ${date}, ${engine}.`,
  ].join("\n\n");
}

const percent = ({ mean: middle, deviation }: Sample): string => `${middle.toFixed(1)} ± ${deviation.toFixed(1)}`;
