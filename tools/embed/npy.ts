/** NumPy's format of arrays (NEP 1, version 1.0): a header in Python's syntax, then the numbers in C order. */
import { writeAtomically } from "../../runtime/checkpoint/atomic";

/** The numbers begin at a multiple of this, so that they can be mapped into memory. */
const alignment = 64;

/** The bytes before the numbers of a float32 array. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  // A tuple of one has a comma behind it.
  const tuple = `(${shape.map((size) => `${size},`).join(" ")})`.replace(/,\)$/, shape.length === 1 ? ",)" : ")");
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefix = 10;
  const total = Math.ceil((prefix + text.length + 1) / alignment) * alignment;
  const bytes = Buffer.alloc(total, " ");
  bytes.write("\u0093NUMPY\u0001\u0000", 0, "latin1");
  bytes.writeUInt16LE(total - prefix, 8);
  bytes.write(text, prefix, "latin1");
  bytes.write("\n", total - 1, "latin1");
  return bytes;
}

/** Whole or not there. `parts` have as many numbers as `shape` together. */
export async function writeNpy(
  path: string,
  shape: readonly number[],
  parts: AsyncIterable<Float32Array>,
): Promise<void> {
  const header = npyHeader(shape);
  const numbers = shape.reduce((product, size) => product * size, 1);
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield header;
    let written = 0;
    for await (const part of parts) {
      written += part.length;
      yield new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    }
    if (written !== numbers) throw new Error(`internal: ${written} numbers of an array of ${numbers}`);
  }
  await writeAtomically(path, whole(), header.length + 4 * numbers);
}
