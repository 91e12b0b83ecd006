/** The whole pipeline on one screen: a spec goes in, the files of a trainer come out. */

import { shardsOf } from "../runtime/step/shards";
import { type TrainedModel, trainedModel } from "./autodiff/trained";
import { typeErrors } from "./emit/check";
import type { GeneratedCode, GeneratedFile } from "./emit/code";
import { emitTypeScript } from "./emit/emit";
import { emitListing } from "./emit/listing";
import { packageVersion } from "./emit/package-root";
import { emitReport } from "./emit/report";
import { buildModel } from "./model/chains";
import { optimise } from "./optimise/index";
import { buildPlan, type Plan } from "./plan/plan";
import type { Spec } from "./spec/spec";
import { buildStep } from "./step/build";
import type { Trainer } from "./step/step";

export interface CompileInput {
  readonly spec: Spec;
  /** sha256 of the canonical spec. */
  readonly hash: string;
  /** Fields that the command line changed, each `a.b.c=value`: they are recorded. */
  readonly settings?: readonly string[];
  /** Absolute: where relative paths of the data start. Left out, where the trainer is started. */
  readonly dataFolder?: string;
}

export interface Compiled extends Trainer {
  readonly typescript: readonly GeneratedCode[];
  /** What is written: TypeScript, graph.txt and report.md. */
  readonly files: readonly GeneratedFile[];
  /** Absolute, or null: see CompileInput. */
  readonly dataFolder: string | null;
}

/** spec → plan → model → passes → gradients → step. */
export function build({ spec, hash, settings = [] }: CompileInput): Trainer {
  return buildTrainer(buildPlan({ spec, settings, specHash: hash, generatorVersion: packageVersion() }));
}

/** The same from a plan on. */
export function buildTrainer(plan: Plan): Trainer {
  const model = modelOf(plan);
  const { optimiser, hardware } = plan.experiment;
  const { clipNorm } = plan;
  const step = buildStep(model, { ...optimiser, devices: hardware.gpus, shards: shardsOf(plan.experiment), clipNorm });
  return { plan, model, step };
}

/** Models by the JSON of their numbers: points of a sweep that differ in a learning rate have one. */
const models = new Map<string, TrainedModel>();
const MOST_MODELS = 64;

function modelOf({ model: numbers }: Plan): TrainedModel {
  const key = JSON.stringify(numbers);
  const model = models.get(key) ?? trainedModel(optimise(buildModel(numbers)));
  if (models.size >= MOST_MODELS) for (const oldest of models.keys()) if (models.delete(oldest)) break;
  models.set(key, model);
  return model;
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
