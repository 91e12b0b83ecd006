/** What a parquet file says of itself, checked against its size: where the rows of which columns lie. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type ColumnMetaData, type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { parquetColumnMissing, parquetUnusable } from "../../errors";
import type { ParquetData } from "../../experiment";
import type { Column } from "./pages";
import { mostGroupBytes } from "./pages";
import { ParquetDamaged, readStruct } from "./thrift";

export type Columns = Pick<ParquetData, "imageColumn" | "labelColumn">;

export interface RowGroup {
  readonly rows: number;
  /** Of the images, unpacked. */
  readonly bytes: number;
}

export interface Footer {
  readonly fileSize: number;
  readonly metadata: FileMetaData;
  readonly groups: readonly RowGroup[];
  readonly hasLabels: boolean;
  /** Names of the classes by label, where the file has them. */
  readonly classNames: readonly string[] | null;
}

const endBytes = 8;
const mostFooterBytes = 256 * 2 ** 20;
const mostSchemaElements = 4096;
const mostGroupRows = 10_000_000;
/** An image takes more than one bit, however it is packed. */
const mostRowsOfByte = 8;

/** Throws R127 where the file is not usable, R125 where it has no such column; else what the system says. */
export function readFooter(path: string, columns: Columns): Footer {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      const count = readSync(file, bytes, 0, length, offset);
      return bytes.subarray(0, count);
    };
    return footerOf({ path, size, read, columns });
  } finally {
    closeSync(file);
  }
}

function footerOf(of: {
  readonly path: string;
  readonly size: number;
  readonly read: (offset: number, length: number) => Buffer;
  readonly columns: Columns;
}): Footer {
  const { path, size, read, columns } = of;
  try {
    if (size < 4 + endBytes) throw new ParquetDamaged("it is too short");
    const end = read(size - endBytes, endBytes);
    const magic = end.toString("latin1", 4);
    if (magic === "PARE") throw new ParquetDamaged("it is encrypted");
    if (magic !== "PAR1") throw new ParquetDamaged("it does not end like one (with PAR1)");
    const length = end.readUInt32LE(0);
    if (length > size - endBytes - 4) throw new ParquetDamaged("its footer would be longer than the file");
    if (length > mostFooterBytes)
      throw new ParquetDamaged(`its footer takes more than ${mostFooterBytes / 2 ** 20} MiB`);
    const bytes = read(size - endBytes - length, length + endBytes);
    readStruct(bytes.subarray(0, length), 0);
    const metadata = parquetMetadata(new Uint8Array(bytes).buffer, { geoparquet: false });
    if (metadata.schema.length > mostSchemaElements) throw new ParquetDamaged("it has more columns than are read");
    const tree = parquetSchema(metadata);
    if (!hasColumn(tree, columns.imageColumn)) {
      const found = tree.children.map(({ element }) => element.name);
      throw parquetColumnMissing({ file: path, column: columns.imageColumn, found });
    }
    return {
      fileSize: size,
      metadata,
      groups: groupsOf(metadata, size, columns),
      hasLabels: tree.children.some(
        ({ element, children }) => element.name === columns.labelColumn && children.length === 0,
      ),
      classNames: classNamesOf(metadata, columns.labelColumn),
    };
  } catch (error) {
    if (error instanceof Error && ("syscall" in error || error.name === "UserError")) throw error;
    const why = error instanceof ParquetDamaged ? error.message : "its footer is damaged";
    throw parquetUnusable({ file: path, why });
  }
}

/** Bytes, or a struct that has them. */
function hasColumn({ children }: SchemaTree, name: string): boolean {
  const column = children.find(({ element }) => element.name === name);
  if (column === undefined) return false;
  const bytes = column.children.length === 0 ? column : column.children.find(({ element }) => element.name === "bytes");
  return bytes?.element.type === "BYTE_ARRAY";
}

function groupsOf(metadata: FileMetaData, fileSize: number, columns: Columns): readonly RowGroup[] {
  const wanted: readonly string[] = [columns.imageColumn, columns.labelColumn];
  let total = 0;
  return metadata.row_groups.map((group) => {
    const rows = Number(group.num_rows);
    total += rows;
    if (!(rows >= 0 && rows <= mostGroupRows && total <= mostRowsOfByte * fileSize)) {
      throw new ParquetDamaged("it claims more rows than it can hold");
    }
    let bytes = 0;
    for (const { meta_data: column, file_path: elsewhere } of group.columns) {
      if (column === undefined) throw new ParquetDamaged("a column of it is encrypted");
      if (!wanted.includes(column.path_in_schema[0] ?? "")) continue;
      // A number that stands for none of them has no name.
      if (typeof column.codec !== "string") throw new ParquetDamaged("a column of it is packed in no known way");
      if (elsewhere !== undefined) throw new ParquetDamaged("its columns lie in other files");
      checkPlace(column, fileSize);
      if (column.path_in_schema[0] === columns.imageColumn) bytes += Number(column.total_uncompressed_size);
    }
    if (!(bytes <= mostGroupBytes)) {
      const most = mostGroupBytes / 2 ** 20;
      throw new ParquetDamaged(`a row group of it has more than ${most} MiB of images; write it with smaller ones`);
    }
    return { rows, bytes };
  });
}

/** Chunks lie within the file, after its first four bytes. */
function checkPlace(column: ColumnMetaData, fileSize: number): void {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  const size = Number(column.total_compressed_size);
  if (
    !(start >= 4 && size >= 0 && start + size <= fileSize - endBytes && Number(column.total_uncompressed_size) >= 0)
  ) {
    throw new ParquetDamaged("a column of it would lie outside of the file");
  }
  if (size > mostGroupBytes)
    throw new ParquetDamaged(`a row group of it takes more than ${mostGroupBytes / 2 ** 20} MiB`);
}

/** What a page of this column can be. Throws ParquetDamaged where the column is a list. */
export function columnOf({ metadata, groups }: Footer, group: number, path: readonly string[]): Column {
  let tree = parquetSchema(metadata);
  let optional = 0;
  for (const name of path) {
    const child = tree.children.find(({ element }) => element.name === name);
    if (child === undefined) throw new ParquetDamaged("a column of it is not in its schema");
    if (child.element.repetition_type === "REPEATED")
      throw new ParquetDamaged("its column of images or labels is a list");
    if (child.element.repetition_type === "OPTIONAL") optional++;
    tree = child;
  }
  const chunk = metadata.row_groups[group]?.columns.find(
    ({ meta_data }) => meta_data?.path_in_schema.join("\0") === path.join("\0"),
  );
  return {
    rows: groups[group]?.rows ?? 0,
    optional,
    isCompressed: chunk?.meta_data?.codec !== "UNCOMPRESSED",
  };
}

/** The names of a ClassLabel, as the `datasets` library writes them into the file. */
function classNamesOf({ key_value_metadata }: FileMetaData, labelColumn: string): readonly string[] | null {
  const text = key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    const names = ["info", "features", labelColumn, "names"].reduce<unknown>(
      (of, field) =>
        typeof of === "object" && of !== null ? Object.entries(of).find(([key]) => key === field)?.[1] : undefined,
      value,
    );
    return Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string") ? names : null;
  } catch {
    return null;
  }
}
