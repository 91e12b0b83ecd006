/** Specs named on the command line, loaded together: all of them, or everything that is wrong with any. */
import { exitCode } from "../diagnostics/catalogue";
import { loadSpec } from "../spec/load";
import type { Spec } from "../spec/spec";
import { printDiagnostics } from "./print";

export interface NamedSpec {
  readonly file: string;
  readonly spec: Spec;
  readonly hash: string;
}

export type LoadedSpecs =
  | { readonly ok: true; readonly specs: readonly NamedSpec[] }
  | { readonly ok: false; readonly code: number };

/** The spec that commands take where none is named. */
const DEFAULT_SPEC = "experiments/quickstart.json";

/** Prints what is wrong. */
export function loadSpecs(files: readonly string[]): LoadedSpecs {
  const results = (files.length === 0 ? [DEFAULT_SPEC] : files).map((file) => ({ file, loaded: loadSpec(file) }));
  const diagnostics = results.flatMap(({ loaded }) => (loaded.ok ? [] : loaded.diagnostics));
  if (diagnostics.length > 0) {
    printDiagnostics(diagnostics);
    return { ok: false, code: exitCode(diagnostics) };
  }
  return {
    ok: true,
    specs: results.flatMap(({ file, loaded }) => (loaded.ok ? [{ file, spec: loaded.spec, hash: loaded.hash }] : [])),
  };
}
