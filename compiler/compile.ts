/** The whole pipeline on one screen: a spec goes in, the files of a trainer come out. */

import { typeErrors } from "./emit/check";
import { emitTypeScript, type GeneratedFile } from "./emit/emit";
import { emitListing } from "./emit/listing";
import { packageVersion } from "./emit/package-root";
import { emitReport } from "./emit/report";
import { buildModel } from "./model/chains";
import { optimise, type Program } from "./optimise/index";
import { buildPlan, type Plan } from "./plan/plan";
import type { Spec } from "./spec/spec";

export interface CompileInput {
  readonly spec: Spec;
  /** sha256 of the canonical spec. */
  readonly hash: string;
}

export interface Compiled {
  readonly plan: Plan;
  readonly program: Program;
  /** TypeScript, graph.txt and report.md, by name. */
  readonly files: readonly GeneratedFile[];
}

/** spec → plan → model → autodiff and passes → program. */
export function build({ spec, hash }: CompileInput): { readonly plan: Plan; readonly program: Program } {
  const plan = buildPlan({ spec, specHash: hash, generatorVersion: packageVersion() });
  return { plan, program: programOf(plan) };
}

/** Programs by the JSON of their model: points of a sweep that differ in a learning rate have one. */
const programs = new Map<string, Program>();
const MOST_PROGRAMS = 64;

function programOf({ model }: Plan): Program {
  const key = JSON.stringify(model);
  const program = programs.get(key) ?? optimise(buildModel(model));
  if (programs.size >= MOST_PROGRAMS) for (const oldest of programs.keys()) if (programs.delete(oldest)) break;
  programs.set(key, program);
  return program;
}

/** program → TypeScript, listing, report. */
export function compile(input: CompileInput): Compiled {
  const { plan, program } = build(input);
  const files = [
    ...emitTypeScript(program, plan),
    { name: "graph.txt", text: emitListing(program, plan) },
    { name: "report.md", text: emitReport(program, plan) },
  ];
  return { plan, program, files };
}

/** Throws where the TypeScript compiler does not accept the shapes: a fault of the compiler, never of the spec. */
export function check(folder: string, compiled: Compiled): void {
  const typescript = compiled.files.filter(({ name }) => name.endsWith(".ts"));
  const error = refused(compiled, typeErrors(folder, typescript));
  if (error !== null) throw error;
}

/** What it comes to that TypeScript found these errors in a trainer; null where there are none. */
export function refused({ plan }: Compiled, errors: readonly string[]): Error | null {
  if (errors.length === 0) return null;
  const shown = errors.slice(0, 5).join("\n  ");
  return new Error(`internal: generated code of ${plan.experiment.name} does not type-check:\n  ${shown}`);
}
