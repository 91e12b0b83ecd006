/**
 * The header of a safetensors file: a u64 length, then JSON with the dtype, shape and byte range of every tensor. A file
 * may come from anywhere, so every number is checked before it is used.
 */
import { elementBytes, isStoredDtype, type StoredDtype } from "./dtypes";

/** Where a tensor lies: bytes `begin` to `end` after the header. */
export interface TensorEntry {
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** The strings of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Bytes before the data: 8 for the length, then the JSON. */
  readonly dataStart: number;
}

/** The limit of the format's reference library; a larger number is not a header length but something else. */
export const maxHeaderBytes = 100_000_000;

/** Why a file is refused, for a person; the caller adds its name. */
export class HeaderError extends Error {}

/** Length of the JSON from the first 8 bytes; throws HeaderError. */
export function headerLength(prefix: Uint8Array, fileBytes: number): number {
  if (fileBytes < 8 || prefix.length < 8)
    throw new HeaderError(`it has ${fileBytes} bytes, fewer than the 8 of a header`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new HeaderError(`its header claims ${length} bytes, more than the ${maxHeaderBytes} that the format allows`);
  }
  if (length + 8n > BigInt(fileBytes)) {
    throw new HeaderError(`its header claims ${length} bytes, but the file has only ${fileBytes}`);
  }
  return Number(length);
}

/** Throws HeaderError unless the tensors lie side by side and fill the file exactly. */
export function parseHeader(json: Uint8Array, fileBytes: number): Header {
  const dataStart = json.length + 8;
  const entries: [name: string, entry: TensorEntry][] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(parseJson(json))) {
    if (name === "__metadata__") metadata = parseMetadata(value);
    else entries.push([name, parseEntry(name, value)]);
  }
  // A tensor without elements shares its place with the next one and must come first.
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let filled = 0;
  for (const [name, { begin, end }] of entries) {
    if (begin !== filled) {
      const what = begin < filled ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new HeaderError(`the tensor ${quote(name)} begins at byte ${begin}, not ${filled}: it ${what}`);
    }
    filled = end;
  }
  const dataBytes = fileBytes - dataStart;
  if (filled !== dataBytes) {
    throw new HeaderError(`its tensors need ${filled} bytes of data, but ${dataBytes} are there`);
  }
  return { metadata, tensors: new Map(entries), dataStart };
}

function parseJson(json: Uint8Array): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    throw new HeaderError("its header is not JSON");
  }
  if (!isRecord(parsed)) throw new HeaderError("its header is not a JSON object");
  return parsed;
}

function parseMetadata(value: unknown): ReadonlyMap<string, string> {
  if (!isRecord(value)) throw new HeaderError("its __metadata__ is not an object");
  const pairs = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== "string") throw new HeaderError(`the metadata ${quote(key)} is not a string`);
    return [key, text];
  });
  return new Map(pairs);
}

function parseEntry(name: string, value: unknown): TensorEntry {
  const at = `the tensor ${quote(name)}`;
  if (!isRecord(value)) throw new HeaderError(`${at} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredDtype(dtype)) throw new HeaderError(`${at} has the dtype ${quote(dtype)}, which is not known`);
  if (!isSizes(shape)) throw new HeaderError(`${at} has the shape ${quote(shape)}, which is not a list of sizes`);
  if (!isSizes(offsets)) throw new HeaderError(`${at} has the byte range ${quote(offsets)}`);
  const [begin, end] = offsets;
  if (offsets.length !== 2 || begin === undefined || end === undefined || begin > end) {
    throw new HeaderError(`${at} has the byte range ${quote(offsets)}`);
  }
  // Beyond 2⁵³ the product is rounded, but then it is no length of a range in a file either.
  const bytes = elementsOf(shape) * elementBytes[dtype];
  if (bytes !== end - begin) {
    throw new HeaderError(`${at} is ${dtype} ${quote(shape)}, ${bytes} bytes, but its range has ${end - begin}`);
  }
  return { dtype, shape, begin, end };
}

/** The first bytes of a file with these tensors, one after the other, padded with spaces to a multiple of 8. */
export function formatHeader(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly { readonly name: string; readonly dtype: StoredDtype; readonly shape: readonly number[] }[],
): { readonly bytes: Uint8Array; readonly dataBytes: number } {
  let offset = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const begin = offset;
    offset += elementsOf(shape) * elementBytes[dtype];
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const;
  });
  if (new Set(tensors.map(({ name }) => name)).size !== tensors.length) {
    throw new Error("internal: two tensors of a safetensors file have the same name");
  }
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return { bytes, dataBytes: offset };
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A value of the file for a message: on one line, and short however long it is. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
