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

/** Takes names one after the other, and holds no string of any. */
export interface FileListBuilder {
  readonly length: number;
  add(name: string): void;
  built(): FileList;
}

export function fileListBuilder(): FileListBuilder {
  let text = Buffer.alloc(1 << 12);
  let starts = new Float64Array(1 << 8);
  let length = 0;
  let end = 0;
  return {
    get length() {
      return length;
    },
    add(name) {
      const bytes = Buffer.byteLength(name);
      if (end + bytes > text.length) text = Buffer.concat([text], Math.max(2 * text.length, end + bytes));
      if (length + 2 > starts.length) {
        const more = new Float64Array(2 * starts.length);
        more.set(starts);
        starts = more;
      }
      end += text.write(name, end);
      starts[++length] = end;
    },
    built() {
      return sharedFileList({ text: text.subarray(0, end), starts: starts.subarray(0, length + 1) });
    },
  };
}

export function packFileList(names: readonly string[]): FileList {
  const builder = fileListBuilder();
  for (const name of names) builder.add(name);
  return builder.built();
}

/** What a list is made of, outside of shared memory: what can be kept in a file. */
export interface FileListParts {
  readonly text: Uint8Array;
  readonly starts: Float64Array;
}

export function sharedFileList(parts: FileListParts): FileList {
  const text = new SharedArrayBuffer(parts.text.byteLength);
  const starts = new SharedArrayBuffer(8 * parts.starts.length);
  new Uint8Array(text).set(parts.text);
  new Float64Array(starts).set(parts.starts);
  return openFileList({ text, starts });
}

export function partsOf({ memory }: FileList): FileListParts {
  return { text: new Uint8Array(memory.text).slice(), starts: new Float64Array(memory.starts).slice() };
}

export function areFileListParts(value: unknown): value is FileListParts {
  return (
    typeof value === "object" &&
    value !== null &&
    "text" in value &&
    value.text instanceof Uint8Array &&
    "starts" in value &&
    value.starts instanceof Float64Array
  );
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
