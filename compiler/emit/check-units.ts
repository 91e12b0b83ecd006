/** Generated files as the type checker takes them: what is equal in two trainers is found to be one unit. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { GeneratedCode } from "./code";

/** Generated files of one trainer and the absolute folder that they are meant for. */
export interface CheckInput {
  readonly folder: string;
  readonly files: readonly GeneratedCode[];
}

/** A file with everything that decides its verdict. */
export interface Unit {
  /** Hash of the code that stands for it, and of that of the files that it imports. */
  readonly key: string;
  readonly path: string;
  readonly file: GeneratedCode;
  readonly standIn: string;
  /** Keys of its imports by file name. */
  readonly imports: ReadonlyMap<string, string>;
}

export function unitsOf({ folder, files }: CheckInput): readonly Unit[] {
  const sources = new Map(files.map((file) => [file.name, { file, standIn: file.standIn() }]));
  /** Code of a file and of everything that it reaches: itself first, what it imports in an order that follows from it. */
  const reached = (name: string, seen = new Map<string, string>()): ReadonlyMap<string, string> => {
    const source = sources.get(name);
    if (source === undefined || seen.has(name)) return seen;
    seen.set(name, `${name} ${source.standIn}`);
    for (const imported of source.file.imports) reached(imported, seen);
    return seen;
  };
  const keys = new Map(files.map(({ name }) => [name, keyOf([...reached(name).values()])]));
  return [...sources.values()].map(({ file, standIn }) => ({
    key: keys.get(file.name) ?? "",
    path: join(folder, file.name),
    file,
    standIn,
    imports: new Map(file.imports.map((name) => [name, keys.get(name) ?? ""])),
  }));
}

function keyOf(codes: readonly string[]): string {
  const hash = createHash("sha256");
  for (const code of codes) hash.update(`${code.length}\n`).update(code);
  return hash.digest("hex");
}
