/** Reads a spec: JSON with comments, and the place of every value, so that errors can point at it. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { hasCode, reasonOf } from "../../runtime/exceptions";
import { errors } from "../diagnostics/catalogue";
import { type Diagnostic, type Place, type Problem, unplaced } from "../diagnostics/diagnostic";
import { nearest } from "../diagnostics/near";
import { type JsonPath, type JsonValue, pathText } from "./json";

/** A spec's text with the tree of its values. */
export interface SpecSource {
  /** The file as the user named it. */
  readonly file: string;
  readonly text: string;
  readonly root: Node;
}

export type ReadResult =
  | { readonly ok: true; readonly source: SpecSource; readonly value: JsonValue }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Far above any spec, far below what would make the parser slow or overflow its stack. */
const limits = { bytes: 1_000_000, depth: 64 };

export function readSpec(file: string): ReadResult {
  const fail = (problem: Problem): ReadResult => ({ ok: false, diagnostics: [unplaced(file, problem)] });
  let bytes: Buffer;
  try {
    const found = statSync(file);
    if (found.isDirectory()) return fail(errors.fileIsFolder());
    if (found.size > limits.bytes) return fail(errors.tooLarge({ bytes: found.size, limit: limits.bytes }));
    bytes = readFileSync(file);
  } catch (cause) {
    if (hasCode(cause, "ENOENT", "ENOTDIR")) return fail(errors.fileMissing({ near: nearbyFile(file) }));
    return fail(errors.fileUnreadable({ reason: reasonOf(cause) }));
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail(errors.notText());
  }
  return parseSpec({ text, file });
}

/** A spec from its text; `file` is the name that errors give. */
export function parseSpec({ text: raw, file }: { readonly text: string; readonly file: string }): ReadResult {
  const text = raw.startsWith("\uFEFF") ? raw.slice(1) : raw;
  const fail = (diagnostics: readonly Diagnostic[]): ReadResult => ({ ok: false, diagnostics });
  if (text.length > limits.bytes) {
    return fail([unplaced(file, errors.tooLarge({ bytes: text.length, limit: limits.bytes }))]);
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
  return { ok: true, source: { file, text, root }, value };
}

/** A problem at `path`; where the file lacks that path, at the nearest thing around it. */
export function problemAt(
  source: SpecSource,
  path: JsonPath,
  problem: Problem,
  part: "key" | "value" = "value",
): Diagnostic {
  let node = source.root;
  let key: Node | undefined;
  for (const step of path) {
    const property =
      typeof step === "string" ? node.children?.find((child) => child.children?.[0]?.value === step) : undefined;
    const next = typeof step === "number" ? node.children?.[step] : property?.children?.[1];
    if (next === undefined) break;
    node = next;
    key = property?.children?.[0];
  }
  const pointed = part === "key" && key !== undefined ? key : node;
  // An object is pointed at by its brace: what it holds is not what is wrong.
  const length = pointed.type === "object" ? 1 : pointed.length;
  return { ...problem, file: source.file, place: placeAt(source.text, pointed.offset, length), path: pathText(path) };
}

/** Whether the file itself says something at `path`. */
export function isGiven(source: SpecSource, path: JsonPath): boolean {
  let node: Node | undefined = source.root;
  for (const step of path) {
    if (typeof step === "number") node = node?.children?.[step];
    else node = node?.children?.find((child) => child.children?.[0]?.value === step)?.children?.[1];
  }
  return node !== undefined;
}

/** Plain values without prototypes, so that a key such as `__proto__` is a key like any other. */
function plainValue(
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
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    empty = false;
    // A bracket is one character long; a text that holds one has quotes around it.
    const bracket = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : "";
    if (bracket === "{" || bracket === "[") depth++;
    if (bracket === "}" || bracket === "]") depth--;
    if (depth > limits.depth) return { empty, tooDeepAt: scanner.getTokenOffset() };
  }
  return { empty, tooDeepAt: null };
}

function placeAt(text: string, offset: number, length: number): Place {
  const before = text.slice(0, offset);
  const lineStart = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  const line = before.split(/\r\n|\n|\r/).length;
  const lineText = /^[^\r\n]*/.exec(text.slice(lineStart))?.[0] ?? "";
  const column = offset - lineStart + 1;
  return { line, column, length: Math.max(1, Math.min(length, lineText.length - column + 1)), lineText };
}

function syntaxSaid(error: ParseError, text: string): { what: string; found?: string; want?: string; hint?: string } {
  const found = text.slice(error.offset, error.offset + Math.min(error.length, 40));
  const before = text.slice(0, error.offset).trimEnd();
  if (before.endsWith(",") && (found === "}" || found === "]")) {
    return { what: "a comma before the closing bracket", hint: "Remove the comma." };
  }
  const name = printParseErrorCode(error.error);
  if (name === "CommaExpected" && found === "}") return { ...syntaxSentences.CloseBracketExpected, found: "`}`" };
  if (name === "CommaExpected" && found === "]") return { ...syntaxSentences.CloseBraceExpected, found: "`]`" };
  const atEnd = error.offset >= text.trimEnd().length;
  const read = atEnd ? "the end of the file" : found === "" ? undefined : `\`${found}\``;
  return { ...syntaxSentences[name], ...(read !== undefined && { found: read }) };
}

/** By the parser's codes; spelt out, since its own names are for programmers. */
const syntaxSentences: {
  readonly [name in ReturnType<typeof printParseErrorCode>]: { readonly what: string; readonly want?: string };
} = {
  InvalidSymbol: { what: "is not JSON", want: "a text in double quotes, a number, true, false or null" },
  InvalidNumberFormat: { what: "is not a number of JSON", want: "a number such as 0.15 or 1e-6" },
  PropertyNameExpected: { what: "a key is missing", want: "a key in double quotes" },
  ValueExpected: { what: "a value is missing", want: "a value after the key or the comma" },
  ColonExpected: { what: "a colon is missing", want: "a colon between key and value" },
  CommaExpected: { what: "a comma is missing", want: "a comma between two entries" },
  CloseBraceExpected: { what: "an object is not closed", want: "`}`" },
  CloseBracketExpected: { what: "a list is not closed", want: "`]`" },
  EndOfFileExpected: { what: "something follows the end of the spec", want: "the end of the file" },
  InvalidCommentToken: { what: "a comment is not allowed here" },
  UnexpectedEndOfComment: { what: "a comment is not closed", want: "`*/`" },
  UnexpectedEndOfString: { what: "a text is not closed", want: "a double quote on the same line" },
  UnexpectedEndOfNumber: { what: "a number is cut short", want: "a number such as 0.15 or 1e-6" },
  InvalidUnicode: { what: "is not a Unicode escape", want: "`\\u` and four hexadecimal digits" },
  InvalidEscapeCharacter: { what: "is not an escape of JSON", want: '`\\\\` for a backslash, `\\"` for a quote' },
  "<unknown ParseErrorCode>": { what: "is not JSON" },
  InvalidCharacter: { what: "a control character stands in a text", want: "an escape such as `\\n`" },
};

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
