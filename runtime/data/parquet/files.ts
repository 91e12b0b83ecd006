/**
 * Parquet files as a set of images, in the layout of image data sets on the Hugging Face hub. Their footers say how many rows
 * each row group has, and the column of labels is read once; images are read row group by row group as they are wanted, so an
 * epoch takes row groups in a new order and mixes the images of a few of them.
 */
import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { dataFolderUnreadable, noImagesInFiles, parquetUnusable } from "../../errors";
import { reasonOf } from "../../exceptions";
import type { ParquetData } from "../../experiment";
import { type FoundFiles, filesOfPattern } from "../file-pattern";
import { classesOf, type FoundLabels, type ImageSet, isIn, type LookOptions } from "../image-set";
import { fewestKept, openIndexCache } from "../index-cache";
import { lookingLines } from "../looking";
import type { FilePart } from "../read-patiently";
import { type Columns, type Footer, readFooter } from "./footer";
import { readGroup } from "./row-group";
import { placesOf, type RowReaderPlan } from "./rows";
import { ParquetDamaged } from "./thrift";

/** Of all files: more rows than this have no number in an order. */
const mostRows = 2 ** 31 - 1;

const found = (options: LookOptions): FoundFiles => filesOfPattern({ ...options, endings: [".parquet"] });

/** How many images there are in the part, and whether there is a column of labels; at once, from the footers alone. */
export function countRows(
  options: LookOptions,
  columns: Columns,
): { readonly images: number; readonly hasLabels: boolean } {
  const { where, names } = found(options);
  let [images, labelled] = [0, 0];
  for (const name of names) {
    const { groups, hasLabels } = footerAt(join(where, name), columns);
    if (hasLabels) labelled++;
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    if (options.part === undefined) images += rows;
    else for (let row = 0; row < rows; row++) if (isIn(options.part, `${name}#${row}`)) images++;
  }
  return { images, hasLabels: labelled === names.length };
}

function footerAt(path: string, columns: Columns): Footer {
  try {
    return readFooter(path, columns);
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause)
      throw dataFolderUnreadable({ folder: path, why: reasonOf(cause) });
    throw cause;
  }
}

/** What a file holds, and the file as it was when that was found. */
interface KeptFile {
  readonly name: string;
  readonly size: number;
  readonly timeMs: number;
  readonly groupRows: readonly number[];
  readonly groupBytes: readonly number[];
  /** Null where there is no column of labels. */
  readonly labels: FoundLabels | null;
}

function areKept(value: unknown): value is readonly KeptFile[] {
  return (
    Array.isArray(value) &&
    value.every((file: unknown) => typeof file === "object" && file !== null && "groupRows" in file && "labels" in file)
  );
}

async function lookThroughFiles(
  options: LookOptions,
  { imageColumn, labelColumn, labels }: Pick<ParquetData, "imageColumn" | "labelColumn" | "labels">,
): Promise<{ readonly where: string; readonly files: readonly KeptFile[] }> {
  const { where, names } = found(options);
  const cache = options.cache ?? openIndexCache({ note: options.progress });
  const about = ["parquet", where, options.given, imageColumn, labels ? labelColumn : ""];
  const known = new Map((cache.get(about, areKept) ?? []).map((file) => [file.name, file]));
  const say = lookingLines(options.given, options.progress ?? (() => {}));
  const files: KeptFile[] = [];
  let [images, fresh] = [0, 0];
  for (const name of names) {
    say({ images, done: files.length, of: names.length });
    const path = join(where, name);
    const info = statSync(path, { throwIfNoEntry: false });
    const before = known.get(name);
    const stamp = { name, size: info?.size ?? 0, timeMs: info?.mtimeMs ?? 0 };
    const isAsItWas = before !== undefined && before.size === stamp.size && before.timeMs === stamp.timeMs;
    if (!isAsItWas) fresh++;
    const file = isAsItWas ? before : { ...stamp, ...(await lookThrough(path, { imageColumn, labelColumn }, labels)) };
    files.push(file);
    images += file.groupRows.reduce((sum, rows) => sum + rows, 0);
    if (images > mostRows) throw parquetUnusable({ file: path, why: `with it there are more than ${mostRows} rows` });
  }
  if (fresh > 0 && images >= fewestKept) cache.put(about, files);
  return { where, files };
}

async function lookThrough(
  path: string,
  columns: Columns,
  wantsLabels: boolean,
): Promise<Pick<KeptFile, "groupRows" | "groupBytes" | "labels">> {
  const footer = footerAt(path, columns);
  const { groups, hasLabels } = footer;
  return {
    groupRows: groups.map(({ rows }) => rows),
    groupBytes: groups.map(({ bytes }) => bytes),
    labels: wantsLabels && hasLabels ? await labelsOf(path, footer, columns.labelColumn) : null,
  };
}

async function labelsOf(path: string, footer: Footer, column: string): Promise<FoundLabels> {
  const { classNames, groups } = footer;
  const numberOf = new Map<string, number>();
  const numbers = new Int32Array(groups.reduce((sum, { rows }) => sum + rows, 0));
  const file = await open(path);
  let at = 0;
  try {
    const read = async ({ offset, size }: FilePart): Promise<Buffer<ArrayBuffer>> => {
      const bytes = Buffer.alloc(size);
      const { bytesRead } = await file.read(bytes, 0, size, offset);
      return bytes.subarray(0, bytesRead);
    };
    for (const group of groups.keys()) {
      for (const value of await readGroup({ read, footer, group, column })) {
        const text = labelText(value);
        if (classNames !== null) {
          const number = Number(text);
          numbers[at++] = text !== null && Number.isInteger(number) && number in classNames ? number : -1;
          continue;
        }
        if (text !== null && !numberOf.has(text)) numberOf.set(text, numberOf.size);
        numbers[at++] = text === null ? -1 : (numberOf.get(text) ?? -1);
      }
    }
  } catch (error) {
    if (error instanceof ParquetDamaged) throw parquetUnusable({ file: path, why: error.message });
    if (error instanceof Error && "syscall" in error)
      throw dataFolderUnreadable({ folder: path, why: reasonOf(error) });
    throw error;
  } finally {
    await file.close();
  }
  return { numbers, texts: classNames ?? [...numberOf.keys()], areComplete: classNames !== null };
}

/** Null of none. */
function labelText(value: unknown): string | null {
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  return typeof value === "string" ? value : null;
}

/** All files' labels as one: under the names of the first where all have the same. */
function gathered(files: readonly KeptFile[]): FoundLabels | null {
  const all = files.flatMap(({ labels }) => (labels === null ? [] : [labels]));
  const [first] = all;
  if (first === undefined || all.length < files.length) return null;
  const areOne = all.every(({ texts, areComplete }) => areComplete && texts.join("\0") === first.texts.join("\0"));
  const numberOf = new Map<string, number>();
  const numbers = new Int32Array(all.reduce((sum, labels) => sum + labels.numbers.length, 0));
  let at = 0;
  for (const labels of all) {
    for (const text of labels.texts) if (!numberOf.has(text)) numberOf.set(text, numberOf.size);
    const places = labels.texts.map((text, place) => (areOne ? place : (numberOf.get(text) ?? -1)));
    for (const number of labels.numbers) numbers[at++] = places[number] ?? -1;
  }
  return { numbers, texts: areOne ? first.texts : [...numberOf.keys()], areComplete: areOne };
}

/** For unpacked row groups, in all threads of a process together. */
const memoryBytes = 2 ** 29;

export async function openFiles(
  options: LookOptions & { readonly threads?: number },
  data: Pick<ParquetData, "imageColumn" | "labelColumn" | "labels" | "shuffleBuffer">,
): Promise<ImageSet> {
  const { where, files } = await lookThroughFiles(options, data);
  const names = files.map(({ name }) => name);
  const groups = files.flatMap(({ groupRows }, file) => groupRows.map((rows, number) => ({ file, number, rows })));
  const groupStarts = new Float64Array(new SharedArrayBuffer(8 * (groups.length + 1)));
  const groupFiles = new Int32Array(new SharedArrayBuffer(4 * groups.length));
  const groupNumbers = new Int32Array(new SharedArrayBuffer(4 * groups.length));
  for (const [i, { file, number, rows }] of groups.entries()) {
    groupFiles[i] = file;
    groupNumbers[i] = number;
    groupStarts[i + 1] = (groupStarts[i] ?? 0) + rows;
  }
  const layout = {
    files: names,
    groupStarts: groupStarts.buffer,
    groupFiles: groupFiles.buffer,
    groupNumbers: groupNumbers.buffer,
  };
  const placeOf = placesOf(layout);
  const nameOfRow = (row: number): string => {
    const { file, rowOfFile } = placeOf(row);
    return `${file}#${rowOfFile}`;
  };

  const total = groupStarts.at(-1) ?? 0;
  const chosen = new Int32Array(total);
  let count = 0;
  const starts = [0];
  for (const group of groups.keys()) {
    for (let row = groupStarts[group] ?? 0; row < (groupStarts[group + 1] ?? 0); row++) {
      if (options.part === undefined || isIn(options.part, nameOfRow(row))) chosen[count++] = row;
    }
    starts.push(count);
  }
  if (count === 0) throw noImagesInFiles({ where, given: options.given });
  const rows = new Int32Array(new SharedArrayBuffer(4 * count));
  rows.set(chosen.subarray(0, count));
  const { imageColumn, labelColumn } = data;
  const reader: RowReaderPlan = {
    kind: "parquet",
    where,
    ...layout,
    rows: rows.buffer,
    columns: { imageColumn, labelColumn },
    memoryBytes: memoryBytes / (options.threads ?? 1),
  };
  const labels = data.labels ? gathered(files) : null;
  const none = { classes: [], labels: new Int32Array(0) };
  const ofAll = labels === null ? none : classesOf(labels, { where, nameOf: nameOfRow });
  return {
    where,
    images: count,
    reader,
    classes: ofAll.classes,
    labels: ofAll.classes.length === 0 ? ofAll.labels : Int32Array.from(rows, (row) => ofAll.labels[row] ?? 0),
    shuffle: { starts, buffer: data.shuffleBuffer },
    fileOf: (index) => join(where, placeOf(rows[index] ?? 0).file),
    nameOf: (index) => nameOfRow(rows[index] ?? 0),
  };
}
