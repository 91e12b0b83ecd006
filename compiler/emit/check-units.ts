/** Generated files as the type checker takes them: what is equal in two trainers is found to be one unit. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ts } from "ts-morph";
import type { GeneratedFile } from "./emit";

/** Generated files of one trainer and the absolute folder that they are meant for. */
export interface CheckInput {
  readonly folder: string;
  readonly files: readonly GeneratedFile[];
}

/** A file with everything that decides its verdict. */
export interface Unit {
  /** Hash of the code that stands for it, without comments, and of that of the files that it imports. */
  readonly key: string;
  readonly path: string;
  readonly file: GeneratedFile;
  /** Keys of its imports by module name, such as `./step`. */
  readonly imports: ReadonlyMap<string, string>;
}

const IMPORT = /^import [^"\n]*"(\.\/\w+)";$/gm;

export function unitsOf({ folder, files }: CheckInput): readonly Unit[] {
  const sources = new Map(
    files.map((file) => [
      file.name,
      {
        file,
        code: codeOf(representative(file).text),
        imports: [...file.text.matchAll(IMPORT)]
          .map(([, name = ""]) => ({ name, file: `${name.slice(2)}.ts` }))
          .filter((imported) => files.some(({ name }) => name === imported.file)),
      },
    ]),
  );
  /** Code of a file and of everything that it reaches. */
  const reached = (name: string, seen = new Map<string, string>()): ReadonlyMap<string, string> => {
    const source = sources.get(name);
    if (source === undefined || seen.has(name)) return seen;
    seen.set(name, `${name} ${source.code}`);
    for (const { file } of source.imports) reached(file, seen);
    return seen;
  };
  const keys = new Map(files.map(({ name }) => [name, keyOf([...reached(name).values()])]));
  return [...sources.values()].map(({ file, imports }) => ({
    key: keys.get(file.name) ?? "",
    path: join(folder, file.name),
    file,
    imports: new Map(imports.map((imported) => [imported.name, keys.get(imported.file) ?? ""])),
  }));
}

/** The file that stands for all that differ from it in what no type depends on; on the same lines. */
export function representative({ name, text }: GeneratedFile): GeneratedFile {
  return { name, text: name === "experiment.ts" ? withoutConstants(text) : withSizesApart(text) };
}

const SIZE = /^export const (\w+) = \d+; export type \1 = typeof \1;/gm;
const ROOT = /\bMath\.sqrt\(\d+\)/g;
const FIRST_SIZE = 1_000_001;

/**
 * A step with another number for each of its sizes, none twice. It is the strictest case: types of axes are equal only
 * where it is one axis, so that what is right here is right for all sizes, also for two that happen to be equal. Numbers
 * below a root are no sizes, and a root is of one type.
 */
function withSizesApart(text: string): string {
  let size = FIRST_SIZE;
  return text
    .replaceAll(SIZE, (_, name) => `export const ${name} = ${size++}; export type ${name} = typeof ${name};`)
    .replaceAll(ROOT, "Math.sqrt(2)");
}

/** `channels` is 3 by its type. */
const KEPT_OR_NUMBER = /"(?:[^"\\\n]|\\.)*"|\bchannels: 3\b|\b\d[\d.]*(?:e[+-]?\d+)?/g;
const NAMES = /^( {2}(?:name|specHash|trainingHash): )".*",$/gm;

/** The constants of an experiment with one number for all of them: one that no type asks for, so that none is met. */
function withoutConstants(text: string): string {
  return text
    .replaceAll(KEPT_OR_NUMBER, (found) => (/^\d/.test(found) ? "1000000.5" : found))
    .replaceAll(NAMES, '$1"…",');
}

/** The file itself comes first, what it imports in an order that follows from it. */
function keyOf(codes: readonly string[]): string {
  const hash = createHash("sha256");
  for (const code of codes) hash.update(`${code.length}\n`).update(code);
  return hash.digest("hex");
}

const scanner = ts.createScanner(ts.ScriptTarget.ES2022, true);

/** The tokens of a text, without comments: they say the hash of the spec, and numbers that are no part of the code. */
function codeOf(text: string): string {
  scanner.setText(text);
  const tokens: string[] = [];
  while (scanner.scan() !== ts.SyntaxKind.EndOfFileToken) tokens.push(scanner.getTokenText());
  return tokens.join(" ");
}
