/** Generated code by declaration: each is found again by its name, wherever it stands in its file, and compared alone. */
import { Node, Project, type SourceFile, type Statement } from "ts-morph";
import type { GeneratedFile } from "../../compiler/emit/code";
import { readHeader } from "../../compiler/emit/header";
import { matches } from "./match";
import { type Patch, type Piece, patchOf, sideText } from "./patch";

/** A top-level declaration with the comment above it. Imports go by their module, calls by what they call. */
export interface Declaration extends Piece {
  readonly name: string;
}

export interface DeclarationChange extends Patch {
  readonly file: string;
  /** As it is called in `b`, and where it is gone in `a`; several that were one have " + " between them. */
  readonly name: string;
  readonly change: "changed" | "added" | "removed" | "renamed" | "split" | "joined";
  /** Of one that was renamed, split or joined: what it was in `a`. */
  readonly was?: { readonly file: string; readonly name: string };
  /** Of one that was added: the blocks of a network that it runs, where that is known. */
  readonly runs?: string;
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

/**
 * The header says the hashes of what follows and the numbers of the experiment, and the comment after it lists the
 * functions of step.ts: all of that is shown elsewhere.
 */
function headerLines(text: string): number {
  if (readHeader(text) === null) return 0;
  const [header = "", map = ""] = text.split(" */\n\n");
  const lines = (part: string): number => part.split("\n").length;
  return lines(header) + (map.startsWith("/*\n") ? 1 + lines(map) : 0);
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

interface Located extends Declaration {
  readonly file: string;
}

const called = (declarations: readonly Declaration[]): string => declarations.map(({ name }) => name).join(" + ");

function changeOf(was: readonly Located[], is: readonly Located[]): DeclarationChange | null {
  const patch = patchOf(sideText(was), sideText(is));
  const [first, last] = [was[0], is[0]];
  if (first === undefined || last === undefined) {
    const only = last ?? first;
    if (only === undefined || patch === null) return null;
    return { file: only.file, name: only.name, change: first === undefined ? "added" : "removed", ...patch };
  }
  const before = { file: first.file, name: called(was) };
  const now = { file: last.file, name: called(is) };
  if (before.file === now.file && before.name === now.name) return patch && { ...now, change: "changed", ...patch };
  const change = was.length > 1 ? "joined" : is.length > 1 ? "split" : "renamed";
  return { ...now, change, was: before, ...(patch ?? { added: 0, removed: 0, patch: [] }) };
}

/** The step first, the constants last: their numbers are told already. */
function fileNames(files: readonly GeneratedFile[]): readonly string[] {
  const rank = (name: string): number => (name === "step.ts" ? 0 : name === "experiment.ts" ? 2 : 1);
  return [...new Set(files.map(({ name }) => name))].sort((a, b) => rank(a) - rank(b));
}

/** In the order of `b`; what only `a` has comes at the end of its file. */
export function diffCode(a: readonly GeneratedFile[], b: readonly GeneratedFile[]): CodeDiff {
  let unchanged = 0;
  const gone: Located[] = [];
  const fresh: Located[] = [];
  const pairs: (readonly [was: Located | undefined, is: Located | undefined])[] = [];
  for (const file of fileNames([...b, ...a])) {
    const [was, is] = [a, b].map((files) => {
      const found = files.find(({ name }) => name === file);
      return new Map(found === undefined ? [] : declarationsOf(found).map((each) => [each.name, { ...each, file }]));
    });
    for (const name of new Set([...(is?.keys() ?? []), ...(was?.keys() ?? [])])) {
      const pair = [was?.get(name), is?.get(name)] as const;
      if (pair[0] === undefined && pair[1] !== undefined) fresh.push(pair[1]);
      if (pair[1] === undefined && pair[0] !== undefined) gone.push(pair[0]);
      pairs.push(pair);
    }
  }
  const matched = matches(gone, fresh);
  const known = new Set(matched.flatMap(({ was, is }) => [...was, ...is]));
  const changes: DeclarationChange[] = [];
  for (const [was, is] of pairs) {
    // One that is found again stands where the first of what it has become stands.
    const match = is && matched.find((each) => each.is[0] === is);
    const only = is ?? was;
    if (match === undefined && only !== undefined && known.has(only)) continue;
    const change = match === undefined ? changeOf(was ? [was] : [], is ? [is] : []) : changeOf(match.was, match.is);
    if (change === null) unchanged += 1;
    else changes.push(change);
  }
  return { unchanged, changes };
}
