/** Reads a spec: JSON with comments, and the place of every value, so that errors can point at it. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createScanner, type Node, type ParseError, parseTree } from "jsonc-parser";
import { hasCode, reasonOf } from "../../runtime/exceptions";
import { errors } from "../diagnostics/catalogue";
import { type Diagnostic, type Problem, unplaced } from "../diagnostics/diagnostic";
import { nearest } from "../diagnostics/near";
import { isObject, type JsonPath, type JsonValue, pathText } from "./json";
import { placeAt, type SpecSource } from "./source";
import { syntaxSaid } from "./syntax";

export type ReadResult =
  | { readonly ok: true; readonly source: SpecSource; readonly value: JsonValue }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Far above any spec, far below what would make the parser slow or overflow its stack. */
const limits = { bytes: 1_000_000, depth: 64 };

/** The name by which standard input is read. */
export const standardInput = "-";

/** Reads a file, a pipe such as `<(…)`, or standard input. A pipe can be read once. */
export function readSpec(file: string): ReadResult {
  // Opened by its path, a socket in the place of standard input is refused.
  const isInput = [standardInput, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].includes(file);
  const shown = file === standardInput ? "<stdin>" : file;
  const fail = (problem: Problem): ReadResult => ({ ok: false, diagnostics: [unplaced(shown, problem)] });
  let bytes: Buffer;
  let isFile = false;
  try {
    const found = isInput ? null : statSync(file);
    if (found?.isDirectory() === true) return fail(errors.fileIsFolder());
    isFile = found?.isFile() === true && !/^\/(dev|proc)\//.test(file);
    bytes = bytesOf(isInput ? 0 : file);
  } catch (cause) {
    if (hasCode(cause, "ENOENT", "ENOTDIR")) return fail(errors.fileMissing({ near: nearbyFile(file) }));
    return fail(errors.fileUnreadable({ reason: reasonOf(cause) }));
  }
  if (bytes.length > limits.bytes) return fail(errors.tooLarge({ limit: limits.bytes }));
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail(errors.notText());
  }
  // What comes through a pipe lies in no folder and has no name, also where a file is at its other end.
  return parseSpec({ text, file: shown, ...(!isFile && { folder: process.cwd(), name: "stdin" }) });
}

/** At most one byte more than a spec may have: a device such as /dev/zero never ends. */
function bytesOf(file: string | 0): Buffer {
  const handle = file === 0 ? 0 : openSync(file, "r");
  const bytes = Buffer.alloc(limits.bytes + 1);
  let length = 0;
  try {
    for (;;) {
      const read = readSome(handle, bytes, length);
      length += read;
      if (read === 0 || length === bytes.length) return bytes.subarray(0, length);
    }
  } finally {
    if (handle !== 0) closeSync(handle);
  }
}

/** Waits where the other end of a pipe that does not block has written nothing yet. */
function readSome(handle: number, bytes: Buffer, from: number): number {
  for (;;) {
    try {
      return readSync(handle, bytes, from, bytes.length - from, null);
    } catch (cause) {
      if (hasCode(cause, "EOF")) return 0;
      if (!hasCode(cause, "EAGAIN")) throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

export interface SpecText {
  readonly text: string;
  /** The name that errors give. */
  readonly file: string;
  /** Where relative paths in it start; left out, where the file lies. */
  readonly folder?: string;
  /** The default of the experiment's name; left out, that of the file. */
  readonly name?: string;
}

/** A spec from its text. */
export function parseSpec({ text: raw, file, folder, name }: SpecText): ReadResult {
  const text = raw.startsWith("\uFEFF") ? raw.slice(1) : raw;
  const fail = (diagnostics: readonly Diagnostic[]): ReadResult => ({ ok: false, diagnostics });
  if (text.length > limits.bytes) {
    return fail([unplaced(file, errors.tooLarge({ limit: limits.bytes }))]);
  }
  const shape = scan(text);
  if (shape.empty) return fail([unplaced(file, errors.fileEmpty())]);
  const at = (offset: number, length: number, path: JsonPath | null, problem: Problem): Diagnostic => ({
    ...problem,
    file,
    place: placeAt(text, offset, length),
    path: path === null ? null : pathText(path),
  });
  if (shape.tooDeepAt !== null) return fail([at(shape.tooDeepAt, 1, null, errors.tooDeep({ limit: limits.depth }))]);

  const parseErrors: ParseError[] = [];
  const root = parseTree(text, parseErrors, { allowTrailingComma: false });
  const [first] = parseErrors;
  // Only the first: the others are mostly its echo.
  if (first !== undefined) return fail([at(first.offset, first.length, null, errors.syntax(syntaxSaid(first, text)))]);
  if (root === undefined) return fail([unplaced(file, errors.fileEmpty())]);

  const duplicates: Diagnostic[] = [];
  const value = plainValue(root, [], (path, key, firstKey) => {
    const firstLine = placeAt(text, firstKey.offset, firstKey.length).line;
    duplicates.push(at(key.offset, key.length, path, errors.duplicateKey({ firstLine })));
  });
  if (duplicates.length > 0) return fail(duplicates);
  const layer = { file, text, root, folder: resolve(folder ?? dirname(file)) };
  return { ok: true, source: { ...layer, name: name ?? nameOfFile(file), layers: [layer] }, value };
}

/** Whether a document means to be the grid of a sweep: no experiment has one of these keys. */
export function isGrid(document: JsonValue): boolean {
  return isObject(document) && (Object.hasOwn(document, "base") || Object.hasOwn(document, "axes"));
}

function nameOfFile(file: string): string {
  return basename(file).replace(/\.jsonc?$/i, "");
}

/** Plain values without prototypes, so that a key such as `__proto__` is a key like any other. */
export function plainValue(
  node: Node,
  path: JsonPath,
  duplicate: (path: JsonPath, key: Node, firstKey: Node) => void,
): JsonValue {
  if (node.type === "array") {
    return (node.children ?? []).map((child, index) => plainValue(child, [...path, index], duplicate));
  }
  if (node.type !== "object") return node.value as JsonValue; // the parser's leaves are null, booleans, numbers, texts
  const out: { [key: string]: JsonValue } = Object.create(null);
  const seen = new Map<string, Node>();
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode === undefined || valueNode === undefined) throw new Error("internal: a property without key or value");
    const key = String(keyNode.value);
    const firstKey = seen.get(key);
    if (firstKey === undefined) seen.set(key, keyNode);
    else duplicate([...path, key], keyNode, firstKey);
    out[key] = plainValue(valueNode, [...path, key], duplicate);
  }
  return out;
}

/** Walks the tokens, which unlike the parser can not overflow the stack. */
function scan(text: string): { readonly empty: boolean; readonly tooDeepAt: number | null } {
  const scanner = createScanner(text, true);
  let depth = 0;
  let empty = true;
  // The end is a token behind the text; its length says nothing, for a comment without an end is counted one too long.
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    empty = false;
    // A bracket is one character long; a text that holds one has quotes around it.
    const bracket = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : "";
    if (bracket === "{" || bracket === "[") depth++;
    if (bracket === "}" || bracket === "]") depth--;
    if (depth > limits.depth) return { empty, tooDeepAt: scanner.getTokenOffset() };
  }
  return { empty, tooDeepAt: null };
}

/** A file with nearly this name in the same folder. */
function nearbyFile(file: string): string | null {
  const folder = dirname(file);
  try {
    const stems = readdirSync(folder).flatMap((name) => (name.endsWith(".json") ? basename(name, ".json") : []));
    const near = nearest(basename(file, ".json"), stems);
    return near === null ? null : join(folder, `${near}.json`);
  } catch {
    return null; // no such folder either: nothing to suggest
  }
}
