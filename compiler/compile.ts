/** The whole pipeline on two screens: a spec goes in, build.ts makes its step, and the files of a trainer come out here. */
import { build, type CompileInput } from "./build";
import { typeErrors } from "./emit/check";
import type { GeneratedCode, GeneratedFile } from "./emit/code";
import { emitTypeScript } from "./emit/emit";
import { emitListing } from "./emit/listing";
import { emitReport } from "./emit/report";
import type { Trainer } from "./step/step";

export interface Compiled extends Trainer {
  readonly typescript: readonly GeneratedCode[];
  /** What is written: TypeScript, graph.txt and report.md. */
  readonly files: readonly GeneratedFile[];
  /** Absolute, or null: see CompileInput. */
  readonly dataFolder: string | null;
}

/** step → TypeScript, listing, report. */
export function compile(input: CompileInput): Compiled {
  const built = build(input);
  const typescript = emitTypeScript(built);
  const files = [
    ...typescript.map(({ name, text }) => ({ name, text })),
    { name: "graph.txt", text: emitListing(built) },
    { name: "report.md", text: emitReport(built) },
  ];
  return { ...built, typescript, files, dataFolder: input.dataFolder ?? null };
}

/** Throws where the TypeScript compiler does not accept the shapes: a fault of the compiler, never of the spec. */
export function check(folder: string, compiled: Compiled): void {
  const error = refused(compiled, typeErrors(folder, compiled.typescript));
  if (error !== null) throw error;
}

/** What it comes to that TypeScript found these errors in a trainer; null where there are none. */
export function refused({ plan }: Compiled, errors: readonly string[]): Error | null {
  if (errors.length === 0) return null;
  const shown = errors.slice(0, 5).join("\n  ");
  return new Error(`internal: generated code of ${plan.experiment.name} does not type-check:\n  ${shown}`);
}
