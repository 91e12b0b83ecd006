/** Trainers of specs that were named on the command line: compiled together, bundled together, and written. */
import { relative, resolve } from "node:path";
import type { Compiled } from "../compiler/compile";
import { compileMany } from "../compiler/compile-many";
import { pointAt } from "../compiler/output/write";
import { writeTrainers } from "../compiler/output/write-many";
import { countText, factsOf } from "../compiler/step/facts";
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

/** Writes the trainers of a batch and their bundles, in order; those that the compiler could not make are left out. */
export async function writeBatch(
  out: string,
  specs: readonly NamedSpec[],
): Promise<{ readonly written: readonly Written[]; readonly faults: readonly Error[] }> {
  const { good, faults } = compiled(out, specs);
  printDiagnostics(good.flatMap((each) => memoryWarnings(each.spec, each.compiled)));
  const folders = await writeTrainers(
    out,
    good.map((each) => each.compiled),
  );
  const written = good.flatMap((each, i) => {
    const folder = folders[i];
    return folder === undefined ? [] : [{ ...each, folder }];
  });
  const last = good.at(-1);
  if (last !== undefined) pointAt(out, last.spec.spec.name);
  return { written, faults };
}

/** Writes one trainer and its bundle; a fault of the compiler is thrown. */
export async function writeSpec(out: string, spec: NamedSpec): Promise<Written> {
  const {
    written: [written],
    faults: [fault],
  } = await writeBatch(out, [spec]);
  if (written === undefined) throw fault ?? new Error("internal: a spec gave neither a trainer nor a fault");
  return written;
}

/** `small (420,288 parameters, 5 programs, 2,560 steps)` */
export function writtenText({ spec, folder, compiled: { step, plan } }: Written): string {
  const { parameters, programs, steps } = factsOf(step, plan);
  const facts = `${countText(parameters.encoder + parameters.predictor)} parameters, ${programs.length} ${programs.length === 1 ? "program" : "programs"}, ${countText(steps)} steps`;
  return `${spec.file} → ${relative(".", folder) || "."} (${facts})`;
}
