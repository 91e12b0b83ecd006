/** Trainers of specs that were named on the command line: compiled together, bundled together, and written. */
import { relative, resolve } from "node:path";
import type { Compiled } from "../compiler/compile";
import { compileMany } from "../compiler/compile-many";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import type { Edits } from "../compiler/output/edits";
import { editedDiagnostic, editsText } from "../compiler/output/edits-text";
import { pointAt } from "../compiler/output/write";
import { type WriteOptions, writeTrainers } from "../compiler/output/write-many";
import { allParameters } from "../compiler/step/cost";
import { countText, factsOf } from "../compiler/step/facts";
import type { ProblemFormat } from "./format";
import { memoryWarnings } from "./memory";
import { printDiagnostics } from "./print";
import type { NamedSpec } from "./specs";

/** A spec with its trainer. */
export interface Written {
  readonly spec: NamedSpec;
  readonly folder: string;
  readonly compiled: Compiled;
}

export interface Batch {
  readonly good: readonly { readonly spec: NamedSpec; readonly compiled: Compiled }[];
  readonly faults: readonly Error[];
}

/** Compiles and type-checks; nothing is written. */
export function compiled(out: string, specs: readonly NamedSpec[]): Batch {
  const results = compileMany(specs.map((spec) => ({ ...spec, folder: resolve(out, spec.spec.name) })));
  return {
    good: results.flatMap((result) => (result.ok ? [{ spec: result.input, compiled: result.compiled }] : [])),
    faults: results.flatMap((result) => (result.ok ? [] : [result.error])),
  };
}

/** A spec whose trainer a person has edited; nothing of it was written. */
export interface Refused {
  readonly spec: NamedSpec;
  readonly edits: Edits;
}

/** Writes the trainers of a batch and their bundles, in order; those that the compiler could not make are left out. */
export async function writeBatch(
  out: string,
  specs: readonly NamedSpec[],
  options?: WriteOptions,
): Promise<{
  readonly written: readonly Written[];
  readonly refused: readonly Refused[];
  readonly faults: readonly Error[];
}> {
  const { good, faults } = compiled(out, specs);
  printDiagnostics(good.flatMap((each) => memoryWarnings(each.spec, each.compiled)));
  const trainers = good.map((each) => each.compiled);
  const results = await writeTrainers(out, trainers, options);
  const made = good.flatMap((each, i) => {
    const result = results[i];
    return result === undefined ? [] : [{ ...each, result }];
  });
  const written = made.flatMap(({ result, ...each }) => (result.ok ? [{ ...each, folder: result.folder }] : []));
  const refused = made.flatMap(({ result, spec }) => (result.ok ? [] : [{ spec, edits: result.edits }]));
  const last = written.at(-1);
  if (last !== undefined) pointAt(out, last.spec.spec.name);
  return { written, refused, faults };
}

export type WriteOutcome = { readonly ok: true; readonly written: Written } | ({ readonly ok: false } & Refused);

/** Writes one trainer and its bundle; a fault of the compiler is thrown. */
export async function writeSpec(out: string, spec: NamedSpec, options?: WriteOptions): Promise<WriteOutcome> {
  const {
    written: [written],
    refused: [refused],
    faults: [fault],
  } = await writeBatch(out, [spec], options);
  if (written !== undefined) return { ok: true, written };
  if (refused !== undefined) return { ok: false, ...refused };
  throw fault ?? new Error("internal: a spec gave neither a trainer nor a fault");
}

/** Why a trainer was not written. */
export function refusedDiagnostic({ spec, edits }: Refused): Diagnostic {
  const { folder } = edits;
  const shown = { ...edits, folder: relative(".", folder) || "." };
  return editedDiagnostic(shown, `\`ijepa compile --force ${spec.file}\` discards it.`);
}

/** Prints why trainers were not written, each with the first lines of its edit. */
export function printRefused(refused: readonly Refused[], format?: ProblemFormat): void {
  for (const each of refused) {
    printDiagnostics([refusedDiagnostic(each)], format);
    process.stderr.write(`\n${editsText(each.edits)}`);
  }
}

/** `small (420,288 parameters, 5 programs, 2,560 steps)` */
export function writtenText({ spec, folder, compiled: { step, plan } }: Written): string {
  const { parameters, programs, steps } = factsOf(step, plan);
  const facts = `${countText(allParameters(parameters))} parameters, ${programs.length} ${programs.length === 1 ? "program" : "programs"}, ${countText(steps)} steps`;
  return `${spec.file} → ${relative(".", folder) || "."} (${facts})`;
}
