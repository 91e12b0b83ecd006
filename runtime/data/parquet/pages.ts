/**
 * The pages of a column chunk, looked at before hyparquet decodes them: sizes, numbers of values and run lengths that its rows
 * cannot have would make it fill all memory. And how pages are unpacked.
 */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompress as unzstd } from "fzstd";
import { type Compressors, snappyUncompress } from "hyparquet";
import { ParquetDamaged, readStruct, type ThriftStruct, varint } from "./thrift";

/** Bytes of the images of one row group, unpacked: it is in memory as a whole. */
export const mostGroupBytes = 2 ** 30;

/** By their number in the format. */
const pageTypes = { data: 0, index: 1, dictionary: 2, dataV2: 3 };
const encodings = { plain: 0, plainDictionary: 2, rle: 3, rleDictionary: 8 };
const read: readonly number[] = [encodings.plain, encodings.plainDictionary, encodings.rleDictionary];

export interface Column {
  /** Of the row group. */
  readonly rows: number;
  /** Levels of optional fields above a value, its own included: 0 … 3. */
  readonly optional: number;
  readonly isCompressed: boolean;
}

/** What of a page can be checked only when it is unpacked. */
interface Packed {
  readonly values: number;
  readonly isDictionary: boolean;
  /** See Column; 0 where the levels lie outside of what is packed. */
  readonly optional: number;
}

export interface CheckedPages {
  /** For hyparquet: unpacks a page, and looks at it. */
  readonly compressors: Compressors;
  /** Throws ParquetDamaged where a page of the chunk is not what it can be. */
  check(chunk: Uint8Array, column: Column): void;
}

export function checkedPages(): CheckedPages {
  /** By the memory that they lie in, and where in it. */
  const packed = new WeakMap<ArrayBufferLike, Map<number, Packed>>();
  const unpacked =
    (unpack: Unpack) =>
    (input: Uint8Array, size: number): Uint8Array => {
      const page = unpack(input, size);
      const known = packed.get(input.buffer)?.get(input.byteOffset);
      if (known !== undefined) checkLevels(page, known);
      return page;
    };
  return {
    compressors: {
      SNAPPY: unpacked((input, size) => {
        const page = new Uint8Array(size);
        snappyUncompress(input, page);
        return page;
      }),
      GZIP: unpacked((input, size) => gunzipSync(input, { maxOutputLength: Math.max(1, size) })),
      BROTLI: unpacked((input, size) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) })),
      ZSTD: unpacked((input, size) => unzstd(input, new Uint8Array(size))),
    },
    check: (chunk, column) => {
      const later = new Map<number, Packed>();
      packed.set(chunk.buffer, later);
      eachPage(chunk, column, (page, at) => later.set(chunk.byteOffset + at, page));
    },
  };
}

type Unpack = (input: Uint8Array, size: number) => Uint8Array;

const numberIn = (struct: ThriftStruct, field: number): number => {
  const value = struct[field];
  return typeof value === "number" ? value : -1;
};

function eachPage(chunk: Uint8Array, column: Column, onPacked: (page: Packed, at: number) => void): void {
  let total = 0;
  for (let at = 0; at < chunk.length - 1; ) {
    const { fields, end } = readStruct(chunk, at);
    const [type, unpacked, size] = [numberIn(fields, 1), numberIn(fields, 2), numberIn(fields, 3)];
    if (size < 0 || end + size > chunk.length) throw new ParquetDamaged("a page of it is longer than its column");
    total += unpacked;
    if (unpacked < 0 || total > mostGroupBytes) {
      throw new ParquetDamaged(`a row group of it is unpacked to more than ${mostGroupBytes / 2 ** 20} MiB`);
    }
    if (!column.isCompressed && unpacked !== size) throw new ParquetDamaged("a page of it has two sizes");
    checkPage({ type, fields, chunk, at: end, end: end + size, column, onPacked });
    at = end + size;
  }
}

function checkPage(page: {
  readonly type: number;
  readonly fields: ThriftStruct;
  readonly chunk: Uint8Array;
  readonly at: number;
  readonly end: number;
  readonly column: Column;
  readonly onPacked: (page: Packed, at: number) => void;
}): void {
  const { type, fields, chunk, at, end, column } = page;
  if (type === pageTypes.index) throw new ParquetDamaged("it has a page of a kind that is not read");
  const head = fields[{ [pageTypes.data]: 5, [pageTypes.dictionary]: 7, [pageTypes.dataV2]: 8 }[type] ?? 0];
  if (typeof head !== "object") throw new ParquetDamaged("a page of it does not say what it holds");
  const values = numberIn(head, 1);
  if (values < 0 || values > column.rows)
    throw new ParquetDamaged("a page of it claims more values than there are rows");
  if (type === pageTypes.dictionary) return;
  const encoding = numberIn(head, type === pageTypes.data ? 2 : 4);
  if (!read.includes(encoding)) {
    throw new ParquetDamaged(
      "its values are encoded in a way that is not read (want PLAIN or a dictionary, pyarrow's own)",
    );
  }
  const isDictionary = encoding !== encodings.plain;
  const { optional, isCompressed } = column;
  if (type === pageTypes.data) {
    if (isCompressed) page.onPacked({ values, isDictionary, optional }, at);
    else checkLevels(chunk.subarray(at, end), { values, isDictionary, optional });
    return;
  }
  const [nulls, rows] = [numberIn(head, 2), numberIn(head, 3)];
  const [levelBytes, repetitionBytes] = [numberIn(head, 5), numberIn(head, 6)];
  const isFlat = repetitionBytes === 0 && rows === values;
  const isWithin = nulls >= 0 && nulls <= values && levelBytes >= 0 && levelBytes <= end - at;
  if (!isFlat || !isWithin) throw new ParquetDamaged("a page of it contradicts itself");
  if (optional > 0) checkRuns(chunk, at, at + levelBytes, widthOf(optional), values);
  const rest = { values, isDictionary, optional: 0 };
  // is_compressed is true where it is left out.
  if (isCompressed && numberIn(head, 7) !== 0) page.onPacked(rest, at + levelBytes);
  else checkLevels(chunk.subarray(at + levelBytes, end), rest);
}

/** An unpacked page: the runs of its levels, where they are in it, then those of the places in the dictionary. */
function checkLevels(page: Uint8Array, { values, isDictionary, optional }: Packed): void {
  let at = 0;
  if (optional > 0) {
    const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    const length = page.length - at < 4 ? -1 : view.getUint32(at, true);
    if (length < 0 || length > page.length - at - 4) throw new ParquetDamaged("a page of it ends early");
    checkRuns(page, at + 4, at + 4 + length, widthOf(optional), values);
    at += 4 + length;
  }
  // A width of 0 stands for the first entry throughout, and of no values there is nothing.
  const width = page[at];
  if (!isDictionary || width === undefined || width === 0) return;
  if (width > 32) throw new ParquetDamaged("a page of it contradicts itself");
  checkRuns(page, at + 1, page.length, width, values);
}

const widthOf = (level: number): number => 32 - Math.clz32(level);

/** Runs of the hybrid of run lengths and packed bits hold no more values than there are, but for what fills the last eight. */
function checkRuns(page: Uint8Array, from: number, end: number, width: number, values: number): void {
  let [at, seen] = [from, 0];
  while (at < end && seen < values) {
    const { value: head, end: next } = varint(page, at);
    const isPacked = head % 2 === 1;
    const count = isPacked ? 8 * ((head - 1) / 2) : head / 2;
    if (count > values - seen + (isPacked ? 7 : 0)) throw new ParquetDamaged("a run in it is longer than its page");
    seen += count;
    at = next + (isPacked ? Math.ceil((count * width) / 8) : Math.ceil(width / 8));
  }
}
