/** File names in shared memory: a million of them cost 60 MB once, not once in every thread. */

/** To be sent to other threads. */
export interface FileListMemory {
  /** All names in UTF-8, one after the other. */
  readonly text: SharedArrayBuffer;
  /** Where each name begins, and where the last ends; Float64. */
  readonly starts: SharedArrayBuffer;
}

export interface FileList {
  readonly length: number;
  readonly memory: FileListMemory;
  at(index: number): string;
}

export function packFileList(names: readonly string[]): FileList {
  const sizes = names.map((name) => Buffer.byteLength(name));
  const text = new SharedArrayBuffer(sizes.reduce((sum, size) => sum + size, 0));
  const starts = new SharedArrayBuffer(8 * (names.length + 1));
  const bytes = Buffer.from(text);
  const begins = new Float64Array(starts);
  let at = 0;
  for (const [i, name] of names.entries()) {
    begins[i] = at;
    at += bytes.write(name, at);
  }
  begins[names.length] = at;
  return openFileList({ text, starts });
}

export function openFileList(memory: FileListMemory): FileList {
  const bytes = Buffer.from(memory.text);
  const begins = new Float64Array(memory.starts);
  return {
    length: begins.length - 1,
    memory,
    at(index) {
      const begin = begins[index];
      const end = begins[index + 1];
      if (begin === undefined || end === undefined) throw new Error(`internal: there is no image ${index}`);
      return bytes.toString("utf8", begin, end);
    },
  };
}

/** Order by code points, alike on every machine (UTF-16 units, JavaScript's own order, put U+E000… after emoji). */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Lifts surrogates above the rest of the basic plane. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x2000 : unit >= 0xe000 ? unit - 0x800 : unit;
}
