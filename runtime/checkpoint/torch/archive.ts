/**
 * The files that torch.save writes since PyTorch 1.6: a ZIP archive with one pickle, data.pkl, and one file of raw numbers
 * for each storage, `data/<key>`. Nothing in it is run; what is not a state dict is refused.
 */
import type { Entry, ZipFile } from "yauzl";
import { fileNotReadable, torchFileRefused } from "../../errors";
import { codeOf, reasonOf } from "../../exceptions";
import { decode, elementBytes, type StoredDtype } from "../dtypes";
import { requireMemory } from "../fits-memory";
import { elementsOf } from "../header";
import { PickleError, type TorchTensor, type TorchValue, unpickle } from "./pickle";
import { openZipFile } from "./zip-reader";

export interface TorchFile {
  readonly path: string;
  /** What was saved. */
  readonly root: TorchValue;
  /** The numbers of a tensor as float32, in C order. */
  readFloats(tensor: TorchTensor): Promise<Float32Array>;
  close(): void;
}

/** Far more than the pickle of the largest checkpoint: names and shapes, no numbers. */
const maxPickleBytes = 64_000_000;

export async function openTorchFile(path: string): Promise<TorchFile> {
  const fail = (why: string, cause?: unknown) => torchFileRefused({ path, why, cause });
  const zip = await openZip(path);
  try {
    const entries = new Map<string, Entry>();
    try {
      for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    } catch (cause) {
      throw fail(`its directory is damaged: ${reasonOf(cause)}`, cause);
    }
    const pickleName = [...entries.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
    if (pickleName === undefined) throw fail("it is a ZIP archive without a data.pkl, so torch.save did not write it");
    const folder = pickleName.slice(0, -"data.pkl".length);
    const pickle = entries.get(pickleName);
    if (pickle === undefined || pickle.uncompressedSize > maxPickleBytes) {
      throw fail(`its data.pkl is larger than ${maxPickleBytes} bytes`);
    }
    const order = entries.get(`${folder}byteorder`);
    if (order !== undefined && order.uncompressedSize < 16) {
      const text = new TextDecoder().decode(await contentOf(path, zip, order));
      if (text !== "little") throw fail(`its numbers are stored in ${text}-endian order`);
    }
    const root = unpickle(await contentOf(path, zip, pickle));
    return {
      path,
      root,
      readFloats: async (tensor) => {
        const { key, dtype, elements } = tensor.storage;
        // Strides of 0 make a large tensor of a small storage.
        requireMemory(path, `over data/${key}`, 4 * elementsOf(tensor.shape));
        const entry = entries.get(`${folder}data/${key}`);
        if (entry === undefined) throw fail(`it has no data/${key}, which one of its tensors needs`);
        const bytes = elements * elementBytes[dtype];
        if (entry.uncompressedSize !== bytes) {
          throw fail(`its data/${key} has ${entry.uncompressedSize} bytes, not the ${bytes} of its tensor`);
        }
        if (entry.compressionMethod !== STORED) {
          throw fail(`its data/${key} is compressed, which torch.save does not do; save it anew with torch.save`);
        }
        // Many tensors may share one storage: only what this one reaches is read.
        const range = { start: tensor.offset * elementBytes[dtype], end: endOf(tensor) * elementBytes[dtype] };
        const values = floatsOf(dtype, await contentOf(path, zip, entry, range));
        if (values === null) throw fail(`its data/${key} holds ${dtype}, not floats`);
        return strided(values, { ...tensor, offset: 0 });
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error instanceof PickleError ? fail(`it holds ${error.message}, which no state dict needs`, error) : error;
  }
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await openZipFile(path);
  } catch (cause) {
    if (codeOf(cause) !== undefined) throw fileNotReadable({ path, why: reasonOf(cause), cause });
    const why = `it is no ZIP archive (${reasonOf(cause)}); a file of PyTorch before 1.6 has to be saved anew by a later one`;
    throw torchFileRefused({ path, why, cause });
  }
}

/** ZIP's number for a part that lies there as it is. */
const STORED = 0;

/** The element of the storage behind the last one that the tensor has. */
function endOf({ offset, shape, strides }: TorchTensor): number {
  if (shape.some((length) => length === 0)) return offset;
  return 1 + shape.reduce((at, length, axis) => at + (length - 1) * (strides[axis] ?? 0), offset);
}

/** `range` in bytes; left out, all of it. */
async function contentOf(
  path: string,
  zip: ZipFile,
  entry: Entry,
  range: { readonly start: number; readonly end: number } = { start: 0, end: entry.uncompressedSize },
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const out = new Uint8Array(range.end - range.start);
    if (out.length === 0) return out;
    let filled = 0;
    for await (const chunk of await zip.openReadStreamPromise(entry, entry.compressionMethod === STORED ? range : {})) {
      const part: Uint8Array = chunk;
      if (part.length > out.length - filled) throw new Error(`it has more than its ${out.length} bytes`);
      out.set(part, filled);
      filled += part.length;
    }
    if (filled === out.length) return out;
    throw new Error(`it has ${filled} of ${out.length} bytes`);
  } catch (cause) {
    throw torchFileRefused({ path, why: `its part ${entry.fileName} cannot be read: ${reasonOf(cause)}`, cause });
  }
}

/** Null where the storage does not hold floats. */
function floatsOf(dtype: StoredDtype, bytes: Uint8Array<ArrayBuffer>): Float32Array | null {
  const values = decode(dtype, bytes.buffer);
  if (values instanceof Float32Array) return values;
  return values instanceof Float64Array ? Float32Array.from(values) : null;
}

/** The values of a tensor that lie in its storage at steps of their own, e.g. of a transposed matrix. */
function strided(values: Float32Array, { shape, strides, offset }: TorchTensor): Float32Array {
  const size = elementsOf(shape);
  let expected = 1;
  const isPlain = [...shape].reverse().every((length, i) => {
    const fits = length === 1 || strides[shape.length - 1 - i] === expected;
    expected *= length;
    return fits;
  });
  if (isPlain) return values.slice(offset, offset + size);
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let rest = i;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] ?? 1;
      at += (rest % length) * (strides[axis] ?? 0);
      rest = Math.floor(rest / length);
    }
    out[i] = values[at] ?? Number.NaN;
  }
  return out;
}
