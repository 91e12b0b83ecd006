/** One row group of a parquet file, read and unpacked by hyparquet after its pages were looked at. */
import { parquetReadObjects } from "hyparquet";
import { UserError } from "../../errors";
import { messageOf } from "../../exceptions";
import type { FilePart } from "../read-patiently";
import { columnOf, type Footer } from "./footer";
import { checkedPages } from "./pages";
import { ParquetDamaged } from "./thrift";

/** Rows of a column, one row group of a file. Throws ParquetDamaged, and what `read` does. */
export async function readGroup(of: {
  readonly read: (part: FilePart) => Promise<Buffer<ArrayBuffer>>;
  readonly footer: Footer;
  readonly group: number;
  readonly column: string;
}): Promise<readonly unknown[]> {
  const { footer, group, column } = of;
  const whole = footer.metadata.row_groups[group];
  if (whole === undefined) throw new Error(`internal: there is no row group ${group}`);
  const pages = checkedPages();
  const chunkAt = (start: number) =>
    whole.columns.find(({ meta_data: chunk }) => {
      return chunk !== undefined && Number(chunk.dictionary_page_offset || chunk.data_page_offset) === start;
    })?.meta_data?.path_in_schema;
  const slice = async (start: number, end: number): Promise<ArrayBuffer> => {
    const path = chunkAt(start);
    if (path === undefined) throw new ParquetDamaged("its columns lie in no order that is read");
    const column = columnOf(footer, group, path);
    const bytes = await of.read({ offset: start, size: end - start });
    if (bytes.length < end - start) throw new ParquetDamaged("it became shorter after it was looked through");
    pages.check(bytes, column);
    return bytes.buffer;
  };
  const file = {
    byteLength: footer.fileSize,
    slice: (start: number, end = footer.fileSize): Promise<ArrayBuffer> => {
      const bytes = slice(start, end);
      // hyparquet reads ahead, and may fail before it waits for what it asked for: that must not end the process.
      bytes.catch(() => {});
      return bytes;
    },
  };
  const metadata = { ...footer.metadata, num_rows: whole.num_rows, row_groups: [whole] };
  try {
    const rows = await parquetReadObjects({
      file,
      metadata,
      columns: [column],
      compressors: pages.compressors,
      utf8: false,
      geoparquet: false,
    });
    if (rows.length !== footer.groups[group]?.rows)
      throw new ParquetDamaged("a row group of it has not the rows that it claims");
    return rows.map((row) => row[column]);
  } catch (error) {
    if (error instanceof ParquetDamaged || error instanceof UserError) throw error;
    if (error instanceof Error && "syscall" in error) throw error;
    throw new ParquetDamaged(`a row group of it cannot be unpacked (${messageOf(error)})`);
  }
}

/** Null of a row without one. */
export function imageIn(value: unknown): Uint8Array | null {
  const bytes = typeof value === "object" && value !== null && "bytes" in value ? value.bytes : value;
  return bytes instanceof Uint8Array ? bytes : null;
}
