/** Pixels for a device that has no bytes: it is given words of four, the first byte being the least of its word. */
import type { Kernel } from "../../table";
import type { Value } from "../graph";
import type { Handle, Recorder } from "../recorder";
import { FLOAT, normalizedPixels } from "./tokens";

const BYTES_PER_WORD = 4;

/** How many words hold so many bytes. */
export const wordsFor = (bytes: number): number => Math.ceil(bytes / BYTES_PER_WORD);

/** The same memory as words where it is made of whole ones, a copy that is filled up otherwise. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  const words = wordsFor(bytes.length);
  const isWhole = bytes.length === BYTES_PER_WORD * words && bytes.byteOffset % BYTES_PER_WORD === 0;
  if (isWhole) return new Uint32Array(bytes.buffer, bytes.byteOffset, words);
  const filled = new Uint32Array(words);
  new Uint8Array(filled.buffer).set(bytes);
  return filled;
}

/** The bytes of words as float32, one after the other. */
function bytesAsFloat(r: Recorder, words: Value, count: number): Value {
  const { graph } = r;
  const [length = 0] = words.dims;
  const radix = graph.constant(Uint32Array.of(256), []);
  const columns: Value[] = [];
  let rest = words;
  for (let i = 0; i < BYTES_PER_WORD; i++) {
    const next = r.div(rest, radix);
    const byte = r.sub(rest, r.mul(next, radix));
    columns.push(r.reshape(graph.one("Cast", [byte], byte.dims, { to: { int: FLOAT } }), [length, 1]));
    rest = next;
  }
  const all = graph.one("Concat", columns, [length, BYTES_PER_WORD], { axis: { int: 1 } });
  const flat = r.reshape(all, [BYTES_PER_WORD * Number(length)]);
  if (count === flat.dims[0]) return flat;
  return graph.one("Slice", [flat, graph.ints([0]), graph.ints([count]), graph.ints([0])], [count]);
}

export const wordsNormalized: Kernel<"normalizePixels", Recorder, Handle, Value> = (r, [images, mean, std]) => {
  const count = images.shape.reduce((a, b) => a * b, 1);
  const pixels = r.reshape(bytesAsFloat(r, images.value, count), r.dims(images.shape));
  return normalizedPixels(r, pixels, { mean, std });
};
