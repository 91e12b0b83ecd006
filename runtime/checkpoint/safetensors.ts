/**
 * Safetensors files: u64 little-endian header length, JSON header, data in C order. Reading never trusts the file; a bad
 * one is a UserError that names it. Writing streams tensor by tensor, with a checksum of each, and is atomic.
 */
import { type FileHandle, open } from "node:fs/promises";
import { damagedFile, fileNotReadable, tensorMissing, tensorUnfit, UserError } from "../errors";
import { reasonOf } from "../exceptions";
import { writeAtomically } from "./atomic";
import {
  checkHeader,
  emptyChecksums,
  filled,
  sealHeader,
  sha256,
  tensorChecksums,
  withoutChecksums,
} from "./checksums";
import { decode, elementBytes, type StoredDtype, type TensorValues } from "./dtypes";
import { requireMemory } from "./fits-memory";
import { elementsOf, formatHeader, type Header, HeaderError, headerLength, parseHeader } from "./header";

export type { StoredDtype, TensorValues } from "./dtypes";
export type { Header, TensorEntry } from "./header";

/** One tensor as read: `dtype` is that of the file; F16 and BF16 come as float32. */
export interface StoredTensor {
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

export interface SafetensorsFile {
  readonly path: string;
  readonly header: Header;
  /** Every tensor that is read is compared with its own. */
  readonly hasChecksums: boolean;
  /** Reads one tensor; UserError where there is none of this name or its dtype is none of those above. */
  read(name: string): Promise<StoredTensor>;
  /** One tensor of floats of exactly this shape, as float32. */
  readFloats(name: string, shape: readonly number[]): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens a file and checks its whole header; the data is read tensor by tensor. Close it. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await reading(path, () => open(path, "r"));
  try {
    const { header, sums } = await reading(path, () => readHeaderOf(file, path));
    const read = async (name: string): Promise<StoredTensor> => {
      const entry = header.tensors.get(name);
      if (entry === undefined) throw tensorMissing({ path, tensor: name, missing: 1, wanted: 1 });
      const { dtype, shape, begin, end } = entry;
      requireMemory(path, name, end - begin);
      const bytes = await reading(path, () => readExactly(file, path, header.dataStart + begin, end - begin));
      const sum = sums.get(name);
      if (sum !== undefined && sum !== sha256(new Uint8Array(bytes))) {
        throw damagedFile({ path, why: `the data of its tensor ${name} is not what was written, by its checksum` });
      }
      const values = decode(dtype, bytes);
      if (values !== null) return { dtype, shape, values };
      throw tensorUnfit({ path, tensor: name, found: dtype, wanted: "F32, F64, F16, BF16, I32 or I64" });
    };
    return {
      path,
      header,
      hasChecksums: sums.size > 0,
      read,
      readFloats: async (name, shape) => {
        const tensor = await read(name);
        checkFloats(path, name, tensor, shape);
        const { values } = tensor;
        if (values instanceof Float32Array) return values;
        if (values instanceof Float64Array) return Float32Array.from(values);
        throw new Error("internal: a float dtype was decoded to integers");
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Throws tensorUnfit unless the tensor holds floats and has this shape. */
export function checkFloats(
  path: string,
  tensor: string,
  entry: { readonly dtype: StoredDtype; readonly shape: readonly number[] },
  shape: readonly number[],
): void {
  const isFloat = entry.dtype === "F32" || entry.dtype === "F64" || entry.dtype === "F16" || entry.dtype === "BF16";
  if (isFloat && entry.shape.length === shape.length && entry.shape.every((size, i) => size === shape[i])) return;
  const found = `${entry.dtype} [${entry.shape.join(", ")}]`;
  throw tensorUnfit({ path, tensor, found, wanted: `F32 [${shape.join(", ")}]` });
}

/** Metadata and the place of every tensor, without the data. */
export async function readHeader(path: string): Promise<Header> {
  const file = await openSafetensors(path);
  await file.close();
  return file.header;
}

/** The whole file in memory. */
export async function readSafetensors(path: string): Promise<{
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const name of file.header.tensors.keys()) tensors.set(name, await file.read(name));
    return { metadata: file.header.metadata, tensors };
  } finally {
    await file.close();
  }
}

/** A tensor to write; the values are asked for when it is its turn, so only one is in memory. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: "F32" | "F64" | "I32" | "I64";
  readonly shape: readonly number[];
  readonly values: () => TensorValues | Promise<TensorValues>;
}

const arrayOf = { F32: Float32Array, F64: Float64Array, I32: Int32Array, I64: BigInt64Array } as const;

/**
 * Writes a file that is whole or not there. Wide elements come first, as the format's library does it, so that every
 * tensor is aligned. An error of `values` is passed on; what was at `path` stays.
 */
export async function writeSafetensors(
  path: string,
  content: {
    readonly metadata: Readonly<Record<string, string>>;
    readonly tensors: readonly TensorToWrite[];
  },
): Promise<void> {
  const tensors = [...content.tensors].sort((a, b) => elementBytes[b.dtype] - elementBytes[a.dtype]);
  const sums = new Map<string, string>();
  const names = tensors.map(({ name }) => name);
  const { bytes, dataBytes } = formatHeader({ ...content.metadata, ...emptyChecksums(names) }, tensors);
  async function* parts(): AsyncGenerator<ArrayBufferView> {
    yield bytes;
    for (const { name, dtype, shape, values: valuesOf } of tensors) {
      const values = await valuesOf();
      if (!(values instanceof arrayOf[dtype]) || values.length !== elementsOf(shape)) {
        throw new Error(`internal: ${name} has ${values.length} values that are not ${dtype} [${shape.join(", ")}]`);
      }
      sums.set(name, sha256(values));
      yield values;
    }
  }
  const beginning = (): Uint8Array => sealHeader(formatHeader({ ...content.metadata, ...filled(sums) }, tensors).bytes);
  await writeAtomically(path, parts(), bytes.length + dataBytes, beginning);
}

async function readHeaderOf(
  file: FileHandle,
  path: string,
): Promise<{ readonly header: Header; readonly sums: ReadonlyMap<string, string> }> {
  const { size: fileBytes } = await file.stat();
  try {
    const prefix = await readExactly(file, path, 0, Math.min(8, fileBytes));
    const length = headerLength(new Uint8Array(prefix), fileBytes);
    const bytes = new Uint8Array(await readExactly(file, path, 0, 8 + length));
    const header = parseHeader(bytes.subarray(8), fileBytes);
    checkHeader(bytes, header.metadata);
    return {
      header: { ...header, metadata: withoutChecksums(header.metadata) },
      sums: tensorChecksums(header.metadata),
    };
  } catch (error) {
    if (error instanceof HeaderError) throw damagedFile({ path, why: error.message });
    throw error;
  }
}

async function readExactly(file: FileHandle, path: string, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    // One read call takes less than 2 GiB.
    const { bytesRead } = await file.read(bytes, done, Math.min(1 << 26, length - done), position + done);
    if (bytesRead === 0) throw damagedFile({ path, why: `it ends at byte ${position + done}, inside its data` });
    done += bytesRead;
  }
  return bytes.buffer;
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw fileNotReadable({ path, why: reasonOf(cause), cause });
  }
}
