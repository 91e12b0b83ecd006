/** One row group of a parquet file, read and unpacked by hyparquet after its pages were looked at. */
import { parquetReadObjects } from "hyparquet";
import { UserError } from "../../errors";
import { messageOf } from "../../exceptions";
import type { FilePart } from "../read-patiently";
import { columnOf, type Footer } from "./footer";
import { type Column, checkedPages } from "./pages";
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
  const { columns, chunks } = await chunksOf(of, whole, pages.check);
  const file = {
    byteLength: placeOf(columns.length),
    // At once: hyparquet reads ahead, and what it does not come to wait for must not end the process.
    slice: (start: number, end?: number): ArrayBuffer => {
      const bytes = chunks.get(start);
      if (bytes === undefined || bytes.byteLength !== (end ?? 0) - start) {
        throw new ParquetDamaged("its columns lie in no order that is read");
      }
      return bytes;
    },
  };
  const metadata = { ...footer.metadata, num_rows: whole.num_rows, row_groups: [{ ...whole, columns }] };
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

type Whole = Footer["metadata"]["row_groups"][number];

/** No chunk is so long. */
const apart = 2 ** 33;
const placeOf = (place: number): number => apart * (place + 1);

/**
 * The column's chunks, read and looked at, as if they lay far apart: hyparquet would read what lies close together at once, with
 * whatever a writer put between (Arrow before 18: a copy of a column's metadata), and each chunk is of a column of its own.
 */
async function chunksOf(
  { read, footer, group, column }: Parameters<typeof readGroup>[0],
  whole: Whole,
  check: (bytes: Buffer<ArrayBuffer>, of: Column) => void,
): Promise<{ readonly columns: Whole["columns"]; readonly chunks: ReadonlyMap<number, ArrayBuffer> }> {
  const chunks = new Map<number, ArrayBuffer>();
  const columns: Whole["columns"] = [];
  for (const chunk of whole.columns) {
    const { meta_data: meta } = chunk;
    if (meta?.path_in_schema[0] !== column) continue;
    const start = meta.dictionary_page_offset || meta.data_page_offset;
    const size = Number(meta.total_compressed_size);
    const bytes = await read({ offset: Number(start), size });
    if (bytes.length < size) throw new ParquetDamaged("it became shorter after it was looked through");
    check(bytes, columnOf(footer, group, meta.path_in_schema));
    const place = placeOf(columns.length);
    const moved = (offset: bigint): bigint => BigInt(place) + offset - start;
    const { dictionary_page_offset: dictionary, data_page_offset: data } = meta;
    const places = { data_page_offset: moved(data), ...(dictionary && { dictionary_page_offset: moved(dictionary) }) };
    columns.push({ ...chunk, meta_data: { ...meta, ...places } });
    chunks.set(place, bytes.buffer);
  }
  return { columns, chunks };
}

/** Null of a row without one. */
export function imageIn(value: unknown): Uint8Array | null {
  const bytes = typeof value === "object" && value !== null && "bytes" in value ? value.bytes : value;
  return bytes instanceof Uint8Array ? bytes : null;
}
