/** `ijepa validate FILE…`: says everything that is wrong with experiments and grids, and nothing else happens. */
import { build } from "../compiler/build";
import { exitCode } from "../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import { diagnosticJson } from "../compiler/diagnostics/problem-text";
import { specOf } from "../compiler/spec/load";
import { isGrid, readSpec, standardInput } from "../compiler/spec/read";
import { sweepOf } from "../tools/sweep/load";
import { defaultFormat, type ProblemFormat } from "./format";
import { memoryWarnings } from "./memory";
import { printDiagnostics } from "./print";
import type { SetOption } from "./set-option";

export interface ValidateOptions extends SetOption {
  /** One JSON document on standard output, for programs. */
  readonly json?: boolean;
  /** `json` is the same as --json. */
  readonly format?: ProblemFormat | "json";
}

interface Result {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly name: string | null;
  /** Of an experiment; null for a grid, whose points have their own. */
  readonly hash: string | null;
  /** Of a grid; null for an experiment. */
  readonly points: number | null;
}

/** Resolves to the exit code: 0 all valid, 1 some file is not, 2 some file could not be read. */
export async function validate(files: readonly string[], options: ValidateOptions): Promise<number> {
  const { json = false, format = defaultFormat(), set } = options;
  const results = files.map((file) => resultOf(file, set));
  const diagnostics = results.flatMap((result) => result.diagnostics);
  const isValid = (found: readonly Diagnostic[]): boolean => exitCode(found) === 0;
  if (json || format === "json") {
    const specs = results.map(({ file, name, hash, points, ...result }) => ({
      file,
      valid: isValid(result.diagnostics),
      name,
      hash,
      ...(points !== null && { points }),
      diagnostics: result.diagnostics.map(diagnosticJson),
    }));
    process.stdout.write(`${JSON.stringify({ valid: isValid(diagnostics), specs }, null, 2)}\n`);
  } else {
    for (const { file, points, diagnostics: wrong } of results) {
      const many = points === null ? "" : `, a sweep of ${points} point${points === 1 ? "" : "s"}`;
      if (isValid(wrong)) process.stdout.write(`${file}: valid${many}\n`);
    }
    printDiagnostics(diagnostics, format);
  }
  return exitCode(diagnostics);
}

/** A grid is told from an experiment by its keys. */
function resultOf(file: string, set: readonly string[]): Result {
  const shownFile = file === standardInput ? "<stdin>" : file;
  const wrong = (diagnostics: readonly Diagnostic[]): Result => ({
    file: shownFile,
    diagnostics,
    name: null,
    hash: null,
    points: null,
  });
  const read = readSpec(file);
  if (read.ok && isGrid(read.value)) {
    const loaded = sweepOf(read, set);
    if (!loaded.ok) return wrong(loaded.diagnostics);
    const { name, points } = loaded.sweep;
    return { file: shownFile, diagnostics: [], name, hash: null, points: points.length };
  }
  const loaded = specOf(read, { settings: set });
  if (!loaded.ok) return wrong(loaded.diagnostics);
  // Planned as it would be compiled, so that its memory is known.
  const found = [...loaded.warnings, ...memoryWarnings(loaded, build(loaded))];
  return { file: shownFile, diagnostics: found, name: loaded.spec.name, hash: loaded.hash, points: null };
}
