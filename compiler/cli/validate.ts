/** `ijepa validate SPEC…`: says everything that is wrong, and nothing else happens. */
import { exitCode } from "../diagnostics/catalogue";
import { diagnosticJson } from "../diagnostics/report";
import { loadSpec } from "../spec/load";
import { printDiagnostics } from "./print";

export interface ValidateOptions {
  /** One JSON document on standard output, for programs. */
  readonly json?: boolean;
}

/** Resolves to the exit code: 0 all valid, 1 some spec is not, 2 some file could not be read. */
export async function validate(files: readonly string[], { json = false }: ValidateOptions): Promise<number> {
  const results = files.map((file) => ({ file, loaded: loadSpec(file) }));
  const diagnostics = results.flatMap(({ loaded }) => (loaded.ok ? [] : loaded.diagnostics));
  if (json) {
    const specs = results.map(({ file, loaded }) =>
      loaded.ok
        ? { file, valid: true, name: loaded.spec.name, hash: loaded.hash, diagnostics: [] }
        : { file, valid: false, name: null, hash: null, diagnostics: loaded.diagnostics.map(diagnosticJson) },
    );
    process.stdout.write(`${JSON.stringify({ valid: diagnostics.length === 0, specs }, null, 2)}\n`);
  } else {
    for (const { file, loaded } of results) if (loaded.ok) process.stdout.write(`${file}: valid\n`);
    printDiagnostics(diagnostics);
  }
  return exitCode(diagnostics);
}
