/** The first half of the pipeline: from a spec to the step of its trainer. Loads no compiler of TypeScript. */
import { shardsOf } from "../runtime/step/shards";
import { type TrainedModel, trainedModel } from "./autodiff/trained";
import { packageVersion } from "./emit/package-root";
import { buildModel } from "./objectives";
import { optimize } from "./optimize/index";
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

/** spec → plan → model → passes → gradients → step. */
export function build({ spec, hash, settings = [] }: CompileInput): Trainer {
  return buildTrainer(buildPlan({ spec, settings, specHash: hash, generatorVersion: packageVersion() }));
}

/** The same from a plan on. */
export function buildTrainer(plan: Plan): Trainer {
  const model = modelOf(plan);
  const { optimizer, hardware } = plan.experiment;
  const { clipNorm } = plan;
  const step = buildStep(model, { ...optimizer, devices: hardware.gpus, shards: shardsOf(plan.experiment), clipNorm });
  return { plan, model, step };
}

/** Models by the JSON of their numbers: points of a sweep that differ in a learning rate have one. */
const models = new Map<string, TrainedModel>();
const MOST_MODELS = 64;

function modelOf({ model: numbers }: Plan): TrainedModel {
  const key = JSON.stringify(numbers);
  const model = models.get(key) ?? trainedModel(optimize(buildModel(numbers)));
  if (models.size >= MOST_MODELS) for (const oldest of models.keys()) if (models.delete(oldest)) break;
  models.set(key, model);
  return model;
}
