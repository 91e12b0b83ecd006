/**
 * Which labels a probe is asked for: some of those that the images have, columns of parquet files, or columns of a CSV file that
 * names images, as the Hugging Face hub has it (metadata.csv with `file_name`, relative to that file).
 */
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { LabelledImages, LabelledTask } from "../../runtime/data/labelled";
import { reasonOf } from "../../runtime/exceptions";
import type { DataPlan } from "../../runtime/experiment";
import { ExportRefused } from "../export/refused";

export type GivenLabels =
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "file"; readonly path: string; readonly names: readonly string[] | null };

const fileColumn = "file_name";

/** `count,distance`, `labels.csv` or `labels.csv:count,distance`. */
export function labelsGiven(text: string): GivenLabels {
  const [, path, columns] = /^(.*\.csv)(?::(.*))?$/i.exec(text) ?? [];
  const namesIn = (list: string): readonly string[] =>
    list
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
  if (path === undefined) return { kind: "names", names: namesIn(text) };
  return { kind: "file", path, names: columns === undefined ? null : namesIn(columns) };
}

/** Opens images whose labels are those that were asked for. `open` gives a split of the data, with its labels or without. */
export async function withLabels(what: {
  readonly given: GivenLabels;
  readonly data: DataPlan;
  /** What a person calls the images. */
  readonly named: string;
  readonly open: (data: DataPlan) => Promise<LabelledImages>;
}): Promise<LabelledImages> {
  const { given, data, named, open } = what;
  if (given.kind === "file") {
    if (data.kind === "shapes") {
      throw new ExportRefused(given.path, errors.labelsUnusable({ why: "rendered scenes have no files to be named" }));
    }
    return labelledBy(readLabels(given), await open({ ...data, labels: false }), given.path);
  }
  if (data.kind !== "parquet") return chosenTasks(await open(data), given.names, named);
  const columns: LabelledImages[] = [];
  for (const labelColumn of given.names) columns.push(await open({ ...data, labels: true, labelColumn }));
  const [first] = columns;
  if (first === undefined) throw missing(named, "", []);
  const tasks = columns.map((images, i): LabelledTask => {
    const [task] = images.tasks;
    const name = given.names[i] ?? "";
    if (task === undefined) throw missing(named, name, null);
    return { name, classes: task.classes };
  });
  return {
    ...first,
    tasks,
    labels: (name) => {
      const at = given.names.indexOf(name);
      const own = columns[at]?.tasks[0];
      if (own === undefined) throw new Error(`internal: the images have no labels for "${name}"`);
      return columns[at]?.labels(own.name) ?? new Int32Array();
    },
  };
}

const missing = (named: string, label: string, found: readonly string[] | null): ExportRefused =>
  new ExportRefused(named, errors.labelMissing({ label, found }));

/** Some of the labels that the images have already: those of rendered scenes, or the class of a folder. */
function chosenTasks(images: LabelledImages, names: readonly string[], named: string): LabelledImages {
  const found = images.tasks.map(({ name }) => name);
  const lacking = names.length === 0 ? "" : names.find((name) => !found.includes(name));
  if (lacking !== undefined) throw missing(named, lacking, found);
  return { ...images, tasks: names.flatMap((name) => images.tasks.filter((task) => task.name === name)) };
}

interface LabelsFile {
  readonly names: readonly string[];
  /** Texts of the columns, by the file that they are of. */
  readonly rows: ReadonlyMap<string, { readonly line: number; readonly texts: readonly string[] }>;
}

function readLabels({ path, names }: Extract<GivenLabels, { readonly kind: "file" }>): LabelsFile {
  const refused = (why: string): ExportRefused => new ExportRefused(path, errors.labelsUnusable({ why }));
  const lines = linesOf(path, refused);
  const [head = [], ...body] = lines.map(({ cells }) => cells);
  const at = head.indexOf(fileColumn);
  if (at === -1) throw refused(`its first line has no column ${fileColumn}`);
  const others = head.filter((_, column) => column !== at);
  const wanted = names ?? others;
  const columns = wanted.map((name) => {
    const column = head.indexOf(name);
    if (column === -1 || column === at) throw missing(path, name, others);
    return column;
  });
  if (columns.length === 0) throw missing(path, "", others);
  const rows = new Map<string, { readonly line: number; readonly texts: readonly string[] }>();
  for (const [i, cells] of body.entries()) {
    const line = lines[i + 1]?.line ?? 0;
    const name = cells[at] ?? "";
    const file = resolve(dirname(path), name);
    const before = rows.get(file);
    if (before !== undefined) throw refused(`lines ${before.line} and ${line} both have ${name}`);
    rows.set(file, { line, texts: columns.map((column) => (cells[column] ?? "").trim()) });
  }
  return { names: wanted, rows };
}

function linesOf(
  path: string,
  refused: (why: string) => ExportRefused,
): readonly { readonly line: number; readonly cells: readonly string[] }[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw refused(reasonOf(error));
  }
  try {
    const lines: { readonly line: number; readonly cells: readonly string[] }[] = [];
    parse(bytes, {
      bom: true,
      skip_empty_lines: true,
      on_record: (cells, { lines: line }) => {
        lines.push({ line, cells });
        return null;
      },
    });
    return lines;
  } catch (error) {
    if (error instanceof CsvError) throw refused(error.message);
    throw error;
  }
}

function labelledBy({ names, rows }: LabelsFile, images: LabelledImages, path: string): LabelledImages {
  const refused = (why: string): ExportRefused => new ExportRefused(path, errors.labelsUnusable({ why }));
  const texts = Array.from({ length: images.count }, (_, i): readonly string[] => {
    const file = images.file(i) ?? "";
    const row = rows.get(resolve(file));
    if (row === undefined) throw refused(`no line has ${relative(dirname(path), file)}`);
    const empty = row.texts.indexOf("");
    if (empty !== -1) throw refused(`line ${row.line} has nothing in the column ${names[empty]}`);
    return row.texts;
  });
  // Of all lines, so that the splits agree on their numbers.
  const all = [...rows.values()];
  const tasks = names.map((name, column): LabelledTask => {
    const classes = [...new Set(all.map((row) => row.texts[column] ?? "").filter((text) => text !== ""))];
    const areNumbers = classes.every((text) => Number.isFinite(Number(text)));
    return { name, classes: areNumbers ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort() };
  });
  const numbers = tasks.map(({ classes }, column) => {
    const numberOf = new Map(classes.map((text, number) => [text, number]));
    return Int32Array.from(texts, (row) => numberOf.get(row[column] ?? "") ?? 0);
  });
  return { ...images, tasks, labels: (name) => numbers[names.indexOf(name)] ?? new Int32Array() };
}
