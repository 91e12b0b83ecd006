/**
 * The TypeScript compiler's verdict on generated code. The shapes are in the types, so an error here is a mistake of
 * ours. All trainers of a batch are checked in one program, and text that is the same in two of them once: points of a
 * sweep that differ in a learning rate have one step.ts.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type DiagnosticMessageChain, Project, ts } from "ts-morph";
import type { GeneratedFile } from "./emit";
import { packageRoot } from "./package-root";

/** Generated files of one trainer and the absolute folder that they are meant for. */
export interface CheckInput {
  readonly folder: string;
  readonly files: readonly GeneratedFile[];
}

/** What main.ts calls, by its type only: the trainer's implementation is checked with the project, not with each spec. */
const TRAINER_TYPES = `import type { Generated, Train } from "../runtime/contract";
export declare const train: Train;
export declare const generated: Generated;
`;

/** Characters of generated text in one program: what the checker remembers of them is some 80 times as large. */
const MOST_CHARACTERS = 4_000_000;

/** A file with everything that decides its verdict. */
interface Unit {
  /** Hash of its code, without comments, and of the code that it imports. */
  readonly key: string;
  readonly path: string;
  readonly file: GeneratedFile;
  /** Keys of its imports by module name, such as `./step`. */
  readonly imports: ReadonlyMap<string, string>;
}

/** For every input one line for each error, `step.ts:12: …`; empty where the code is right. */
export function typeErrorsOfMany(inputs: readonly CheckInput[]): readonly (readonly string[])[] {
  const trainers = inputs.map(unitsOf);
  const units = [...new Map(trainers.flat().map((unit) => [unit.key, unit])).values()];
  if (right.size > MOST_RIGHT) right.clear();
  const wrong = new Set(
    verdicts(
      units.filter(({ key }) => !right.has(key)),
      units,
    ).flatMap(({ unit: { key }, errors }) => {
      if (errors.length === 0) right.add(key);
      return errors.length === 0 ? [] : [key];
    }),
  );
  // Whose lines and comments differ has its errors on other lines.
  return trainers.map((own) => {
    const suspects = own.filter(({ key }) => wrong.has(key));
    return suspects.length === 0 ? [] : verdicts(suspects, own).flatMap(({ errors }) => errors);
  });
}

/** One line for each error of one trainer. */
export function typeErrors(folder: string, files: readonly GeneratedFile[]): readonly string[] {
  return typeErrorsOfMany([{ folder, files }]).flat();
}

const IMPORT = /^import [^"\n]*"(\.\/\w+)";$/gm;

function unitsOf({ folder, files }: CheckInput): readonly Unit[] {
  const sources = new Map(
    files.map((file) => [
      file.name,
      {
        file,
        code: codeOf(file.text),
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

/** Keys of files without errors: that cannot change while the process lives. */
const right = new Set<string>();
const MOST_RIGHT = 20_000;

interface UnitErrors {
  readonly unit: Unit;
  readonly errors: readonly string[];
}

/** `others` are what the units may import. */
function verdicts(units: readonly Unit[], others: readonly Unit[]): readonly UnitErrors[] {
  const byKey = new Map(others.map((unit) => [unit.key, unit]));
  return chunksOf(units).flatMap((chunk) => check(chunk, byKey));
}

function chunksOf(units: readonly Unit[]): readonly (readonly Unit[])[] {
  const chunks: Unit[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const unit of units) {
    if (characters > MOST_CHARACTERS) {
      chunks.push([]);
      characters = 0;
    }
    chunks.at(-1)?.push(unit);
    characters += unit.file.text.length;
  }
  return chunks;
}

/** Checks these files in one program, together with what they import. */
function check(units: readonly Unit[], byKey: ReadonlyMap<string, Unit>): readonly UnitErrors[] {
  const inProgram = new Map<string, Unit>();
  const add = (unit: Unit): void => {
    if (inProgram.has(unit.path)) return;
    inProgram.set(unit.path, unit);
    for (const key of unit.imports.values()) {
      const imported = byKey.get(key);
      if (imported !== undefined) add(imported);
    }
  };
  units.forEach(add);
  const { project, resolve } = shared();
  resolve.generated = (name, from) => byKey.get(inProgram.get(from)?.imports.get(name) ?? "")?.path;
  const sources = new Map(
    [...inProgram].map(([path, { file }]) => [path, project.createSourceFile(path, file.text, { overwrite: true })]),
  );
  const program = project.getProgram();
  const found = units.map((unit): UnitErrors => {
    const source = sources.get(unit.path);
    if (source === undefined) throw new Error(`internal: ${unit.path} is not checked`);
    const errors = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (each) => `${unit.file.name}:${each.getLineNumber() ?? 0}: ${textOf(each.getMessageText())}`,
    );
    return { unit, errors };
  });
  for (const source of sources.values()) project.removeSourceFile(source);
  return found;
}

function textOf(message: string | DiagnosticMessageChain): string {
  return typeof message === "string" ? message : message.getMessageText();
}

interface Shared {
  readonly project: Project;
  readonly resolve: { generated: (name: string, from: string) => string | undefined };
}

let kept: Shared | undefined;

/** The libraries and the runtime's types are read once. */
function shared(): Shared {
  if (kept !== undefined) return kept;
  const root = packageRoot();
  const trainerTypes = join(root, "generated", "trainer-types.ts");
  const resolve: Shared["resolve"] = { generated: () => undefined };
  const project = new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2022.d.ts"],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
    },
    resolutionHost: (host, options) => {
      const pathOf = (name: string, from: string): string | undefined => {
        if (name === "ijepa/runtime/trainer") return trainerTypes;
        if (name.startsWith("ijepa/runtime/")) return join(root, `${name.slice("ijepa/".length)}.ts`);
        return resolve.generated(name, from);
      };
      return {
        resolveModuleNames: (names, from) =>
          names.map((name) => {
            const path = pathOf(name, from);
            return path === undefined
              ? ts.resolveModuleName(name, from, options(), host).resolvedModule
              : { resolvedFileName: path, extension: ts.Extension.Ts };
          }),
      };
    },
  });
  project.createSourceFile(trainerTypes, TRAINER_TYPES, { overwrite: true });
  kept = { project, resolve };
  return kept;
}
