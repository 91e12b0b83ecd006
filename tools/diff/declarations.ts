/** Generated code by declaration: each is found again by its name, wherever it stands in its file, and compared alone. */
import { diffArrays, structuredPatch } from "diff";
import { Node, Project, type SourceFile, type Statement } from "ts-morph";
import type { GeneratedFile } from "../../compiler/emit/code";
import { readHeader } from "../../compiler/emit/header";

/** A top-level declaration with the comment above it. Imports go by their module, calls by what they call. */
export interface Declaration {
  readonly name: string;
  /** Line in the file where the text starts, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface DeclarationChange {
  readonly file: string;
  readonly name: string;
  readonly change: "changed" | "added" | "removed";
  /** Lines. */
  readonly added: number;
  readonly removed: number;
  /** Unified: `@@` lines with the line numbers of the files, then lines that begin with a blank, + or -. */
  readonly patch: readonly string[];
}

export interface CodeDiff {
  /** Declarations that are the same on both sides. */
  readonly unchanged: number;
  readonly changes: readonly DeclarationChange[];
}

/** What stands between declarations: rulers of sections, and comments at the end. */
export const BETWEEN = "(comments)";
/** Files that are no TypeScript are compared whole. */
export const WHOLE = "(whole file)";

const CONTEXT_LINES = 3;
const RULER = /^\/\/ ── /;

/** Without checking types: whatever stands in the file, also what a person has broken, gives declarations. */
export function parse(file: GeneratedFile): SourceFile {
  const project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    skipFileDependencyResolution: true,
  });
  return project.createSourceFile("/file.ts", file.text);
}

function nameOf(statement: Statement): string {
  if (Node.isVariableStatement(statement)) {
    return statement
      .getDeclarations()
      .map((each) => each.getName())
      .join(", ");
  }
  if (Node.isImportDeclaration(statement)) return `import ${statement.getModuleSpecifierValue()}`;
  if (Node.isExpressionStatement(statement)) {
    const expression = statement.getExpression();
    return Node.isCallExpression(expression) ? `${expression.getExpression().getText()}(…)` : "(statement)";
  }
  const name = Node.hasName(statement) || Node.isFunctionDeclaration(statement) ? statement.getName() : undefined;
  return name || `(${statement.getKindName()})`;
}

/** The header says the hashes of what follows and the numbers of the experiment: both are shown elsewhere. */
function headerLines(text: string): number {
  if (readHeader(text) === null) return 0;
  return text.slice(0, text.indexOf(" */\n\n")).split("\n").length;
}

/** Every line of the file but its header, by declaration; those of one name are one. */
export function declarationsOf(file: GeneratedFile): readonly Declaration[] {
  const lines = file.text.split("\n");
  const found = new Map<string, { readonly line: number; readonly lines: string[] }>();
  const keep = (name: string, from: number, to: number) => {
    const kept = lines.slice(from, to).map((text, i) => ({ text, line: from + i + 1 }));
    const between = kept.filter(({ text }) => RULER.test(text));
    const own = kept.filter(({ text }) => !RULER.test(text));
    for (const [into, part] of [[BETWEEN, between] as const, [name, own] as const]) {
      const start = part.findIndex(({ text }) => text.trim() !== "");
      const end = part.findLastIndex(({ text }) => text.trim() !== "");
      const first = part[start];
      if (first === undefined) continue;
      const entry = found.get(into) ?? { line: first.line, lines: [] };
      entry.lines.push(...part.slice(start, end + 1).map(({ text }) => text));
      found.set(into, entry);
    }
  };
  if (!file.name.endsWith(".ts")) keep(WHOLE, 0, lines.length);
  else {
    let done = headerLines(file.text);
    for (const statement of parse(file).getStatements()) {
      const end = statement.getEndLineNumber();
      // `export const B = 16; export type B = typeof B;` is one line, and goes by its first name.
      if (end <= done) continue;
      keep(nameOf(statement), done, end);
      done = end;
    }
    keep(BETWEEN, done, lines.length);
  }
  return [...found].map(([name, { line, lines: own }]) => ({ name, line, text: own.join("\n") }));
}

/** Columns are aligned anew when one line grows, and the hash of the spec says only that something changed. */
function comparable(line: string): string {
  return line
    .replace(/(\S) +(?=\/\/ )/g, "$1 ")
    .replace(/^( +specHash: )"[0-9a-f]{64}",$/, "$1…")
    .trimEnd();
}

function changeOf(file: string, name: string, a: Declaration | undefined, b: Declaration | undefined) {
  if (a?.text === b?.text) return null;
  const [was, is] = [a, b].map((side) => (side === undefined ? [] : side.text.split("\n")));
  const aligned = diffArrays(was ?? [], is ?? [], {
    comparator: (left, right) => comparable(left) === comparable(right),
  });
  // Lines that count as the same take the text of `b`, so that the patch does not tell them apart.
  const text = (not: "added" | "removed") =>
    aligned.flatMap((part) => (part[not] ? [] : part.value.map((line) => `${line}\n`))).join("");
  const { hunks } = structuredPatch("a", "b", text("added"), text("removed"), "", "", { context: CONTEXT_LINES });
  if (hunks.length === 0) return null;
  const patch = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${at(a, oldStart)},${oldLines} +${at(b, newStart)},${newLines} @@`,
    ...lines,
  ]);
  const count = (sign: string) => hunks.flatMap(({ lines }) => lines).filter((line) => line.startsWith(sign)).length;
  const change = a === undefined ? "added" : b === undefined ? "removed" : "changed";
  return { file, name, change, added: count("+"), removed: count("-"), patch } as const;
}

/** Line of the file, from the line of the declaration. */
function at(side: Declaration | undefined, line: number): number {
  return side === undefined ? 0 : side.line + line - 1;
}

/** In the order of `b`; what only `a` has comes at the end of its file. */
export function diffCode(a: readonly GeneratedFile[], b: readonly GeneratedFile[]): CodeDiff {
  let unchanged = 0;
  const changes: DeclarationChange[] = [];
  const names = new Set([...b, ...a].map(({ name }) => name));
  for (const file of names) {
    const [was, is] = [a, b].map((files) => {
      const found = files.find(({ name }) => name === file);
      return new Map(found === undefined ? [] : declarationsOf(found).map((each) => [each.name, each]));
    });
    for (const name of new Set([...(is?.keys() ?? []), ...(was?.keys() ?? [])])) {
      const change = changeOf(file, name, was?.get(name), is?.get(name));
      if (change === null) unchanged += 1;
      else changes.push(change);
    }
  }
  return { unchanged, changes };
}
