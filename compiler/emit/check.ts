/**
 * The TypeScript compiler's verdict on generated code. The shapes are in the types, so an error here is a mistake of
 * ours. All trainers of a batch are checked in one program. Code that two of them share is checked once, and steps that
 * differ in their sizes only share it, as do experiments with other numbers: points of a sweep have few different ones.
 */
import { join } from "node:path";
import { type DiagnosticMessageChain, Project, type SourceFile, ts } from "ts-morph";
import { type CheckInput, type Unit, unitsOf } from "./check-units";
import type { GeneratedCode } from "./code";
import { packageRoot } from "./package-root";

/** Characters of generated text in one program: what the checker remembers of them is some 80 times as large. */
const MOST_CHARACTERS = 4_000_000;

/** Keys of units without errors: that cannot change while the process lives. */
const right = new Set<string>();
const MOST_RIGHT = 20_000;

/** An error where it stands; line and column from 1. */
export interface TypeFault {
  /** Name of the generated file. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** In the words of the TypeScript compiler. */
  readonly message: string;
}

/** For every input one line for each error, `step.ts:12: …`; empty where the code is right. */
export function typeErrorsOfMany(inputs: readonly CheckInput[]): readonly (readonly string[])[] {
  return typeFaultsOfMany(inputs).map((faults) =>
    faults.map(({ file, line, message }) => `${file}:${line}: ${message}`),
  );
}

function typeFaultsOfMany(inputs: readonly CheckInput[]): readonly (readonly TypeFault[])[] {
  const trainers = inputs.map(unitsOf);
  const units = [...new Map(trainers.flat().map((unit) => [unit.key, unit])).values()];
  if (right.size > MOST_RIGHT) right.clear();
  const fresh = units.filter(({ key }) => !right.has(key));
  const wrong = new Set<string>();
  for (const { unit, errors } of verdicts(fresh, units, ({ standIn }) => standIn)) {
    if (errors.length === 0) right.add(unit.key);
    else wrong.add(unit.key);
  }
  // What was found with other sizes, or on the lines of another trainer, is looked for in the file as it is.
  return trainers.map((own) => {
    const suspects = own.filter(({ key }) => wrong.has(key));
    return suspects.length === 0
      ? []
      : verdicts(suspects, own, ({ file }) => file.text).flatMap(({ errors }) => errors);
  });
}

/** One line for each error of one trainer. */
export function typeErrors(folder: string, files: readonly GeneratedCode[]): readonly string[] {
  return typeErrorsOfMany([{ folder, files }]).flat();
}

/** The same with the place of each. */
export function typeFaults(folder: string, files: readonly GeneratedCode[]): readonly TypeFault[] {
  return typeFaultsOfMany([{ folder, files }]).flat();
}

/** The same of each file as it is, every one of them once: for texts that are expected to be wrong. */
export function typeErrorsAsTheyAre(inputs: readonly CheckInput[]): readonly (readonly string[])[] {
  const trainers = inputs.map(unitsOf);
  const units = trainers.flat();
  const found = new Map(verdicts(units, units, ({ file }) => file.text).map(({ unit, errors }) => [unit, errors]));
  const messages = (unit: Unit): readonly string[] => (found.get(unit) ?? []).map(({ message }) => message);
  return trainers.map((own) => own.flatMap(messages));
}

/** Runs `read` on a checked file of generated code, with the types of all that it imports of the runtime. */
export function withTypes<T>(path: string, text: string, read: (file: SourceFile) => T): T {
  const { project } = shared();
  const file = project.createSourceFile(path, text, { overwrite: true });
  try {
    return read(file);
  } finally {
    project.removeSourceFile(file);
  }
}

interface UnitErrors {
  readonly unit: Unit;
  readonly errors: readonly TypeFault[];
}

type TextOf = (unit: Unit) => string;

/** `others` are what the units may import; `textOf` gives what is checked of a unit: its stand-in, or the file itself. */
function verdicts(units: readonly Unit[], others: readonly Unit[], textOf: TextOf): readonly UnitErrors[] {
  const byKey = new Map(others.map((unit) => [unit.key, unit]));
  return chunksOf(units).flatMap((chunk) => check(chunk, byKey, textOf));
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
    characters += unit.standIn.length;
  }
  return chunks;
}

/** Checks these files in one program, together with what they import. */
function check(units: readonly Unit[], byKey: ReadonlyMap<string, Unit>, textOf: TextOf): readonly UnitErrors[] {
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
  resolve.generated = (name, from) => {
    const imports = inProgram.get(from)?.imports;
    // A file that is not said to be imported is none, though one of that name may lie in the program.
    return imports && (byKey.get(imports.get(`${name.slice("./".length)}.ts`) ?? "")?.path ?? null);
  };
  const sources = new Map(
    [...inProgram].map(([path, unit]) => [path, project.createSourceFile(path, textOf(unit), { overwrite: true })]),
  );
  const program = project.getProgram();
  const found = units.map((unit): UnitErrors => {
    const source = sources.get(unit.path);
    if (source === undefined) throw new Error(`internal: ${unit.path} is not checked`);
    const errors = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (each): TypeFault => {
        const { line, column } = source.getLineAndColumnAtPos(each.getStart() ?? 0);
        const message = messageOf(each.getMessageText());
        return { file: unit.file.name, line, column, length: each.getLength() ?? 1, message };
      },
    );
    return { unit, errors };
  });
  for (const source of sources.values()) project.removeSourceFile(source);
  return found;
}

/** Of an op with several signatures, what is wrong by the last one: that none fits says nothing. */
function messageOf(message: string | DiagnosticMessageChain): string {
  if (typeof message === "string") return message;
  const { code, next = [] } = message.compilerObject;
  const why = code === NO_OVERLOAD_MATCHES ? next.at(-1)?.next?.at(-1) : undefined;
  return why?.messageText ?? message.getMessageText();
}

const NO_OVERLOAD_MATCHES = 2769;

interface Shared {
  readonly project: Project;
  /** The path of what a generated file imports, null where there is no such file; undefined in any other file. */
  readonly resolve: { generated: (name: string, from: string) => string | null | undefined };
}

let kept: Shared | undefined;

/** The libraries and the runtime's types are read once. */
function shared(): Shared {
  if (kept !== undefined) return kept;
  const root = packageRoot();
  // What main.ts calls, by its type only: the implementation is checked with the project, not with each spec.
  const trainerTypes = join(root, "runtime/types/trainer.ts");
  const engineTypes = join(root, "runtime/types/engine.ts");
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
      // What is kept, made or handed and not read is a sign of an edit that went wrong.
      noUnusedLocals: true,
      noUnusedParameters: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
    },
    resolutionHost: (host, options) => {
      const pathOf = (name: string, from: string): string | null | undefined => {
        if (name === "ijepa/runtime/trainer") return trainerTypes;
        if (/^ijepa\/runtime\/engines\/\w+\/engine$/.test(name)) return engineTypes;
        if (name.startsWith("ijepa/runtime/")) return join(root, `${name.slice("ijepa/".length)}.ts`);
        return resolve.generated(name, from);
      };
      return {
        resolveModuleNames: (names, from) =>
          names.map((name) => {
            const path = pathOf(name, from);
            if (path === null) return undefined;
            return path === undefined
              ? ts.resolveModuleName(name, from, options(), host).resolvedModule
              : { resolvedFileName: path, extension: ts.Extension.Ts };
          }),
      };
    },
  });
  kept = { project, resolve };
  return kept;
}
