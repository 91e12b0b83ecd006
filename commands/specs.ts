/** Specs named on the command line, loaded together: all of them, or everything that is wrong with any. */
import { resolve } from "node:path";
import type { CompileInput } from "../compiler/build";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import { type LoadedSpec, loadSpec } from "../compiler/spec/load";
import { problemAt, type SpecSource } from "../compiler/spec/source";
import type { ProblemFormat } from "./format";
import { printDiagnostics } from "./print";
import type { SetOption } from "./set-option";

export interface NamedSpec extends CompileInput {
  readonly file: string;
  /** Where its values stand. */
  readonly source: SpecSource;
}

/** A spec as the compiler takes it. */
export function namedSpec(file: string, { spec, hash, source, settings }: GoodSpec): NamedSpec {
  return { file, spec, hash, source, settings, dataFolder: source.folder };
}

type GoodSpec = Extract<LoadedSpec, { readonly ok: true }>;

export type LoadedSpecs =
  | { readonly ok: true; readonly specs: readonly NamedSpec[] }
  | { readonly ok: false; readonly code: number };

/** The spec that commands take where none is named. */
const DEFAULT_SPEC = "experiments/quickstart.json";

export interface LoadOptions extends Partial<SetOption> {
  readonly format?: ProblemFormat | undefined;
  readonly ownNames?: boolean;
}

/** Prints what is wrong. Specs whose trainers lie side by side have `ownNames`. */
export function loadSpecs(
  files: readonly string[],
  { format, ownNames = false, set = [] }: LoadOptions = {},
): LoadedSpecs {
  const results = namedFiles(files).map((file) => ({ file, loaded: loadSpec(file, { settings: set }) }));
  const diagnostics = [
    ...results.flatMap(({ loaded }) => (loaded.ok ? [] : loaded.diagnostics)),
    ...(ownNames ? sameNames(results) : []),
  ];
  if (diagnostics.length > 0) {
    printDiagnostics(diagnostics, format);
    return { ok: false, code: exitCode(diagnostics) };
  }
  printDiagnostics(
    results.flatMap(({ loaded }) => (loaded.ok ? loaded.warnings : [])),
    format,
  );
  return {
    ok: true,
    specs: results.flatMap(({ file, loaded }) => (loaded.ok ? [namedSpec(file, loaded)] : [])),
  };
}

/** Each file once, however often it is named. */
export function namedFiles(files: readonly string[]): readonly string[] {
  const named = files.length === 0 ? [DEFAULT_SPEC] : files;
  return named.filter((file, i) => named.findIndex((other) => resolve(other) === resolve(file)) === i);
}

/** Names that are taken already. */
function sameNames(results: readonly { readonly file: string; readonly loaded: LoadedSpec }[]): readonly Diagnostic[] {
  const first = new Map<string, string>();
  return results.flatMap(({ file, loaded }) => {
    if (!loaded.ok) return [];
    const { name } = loaded.spec;
    const other = first.get(name);
    if (other !== undefined) return [problemAt(loaded.source, ["name"], errors.sameName({ name, other }))];
    first.set(name, file);
    return [];
  });
}
