/** Fills in every default, so that no later stage has to ask whether a field is there. */

import { objectiveOf } from "../objectives";
import { branchOf, objectiveIn } from "./by-objective";
import { fittingBatch, fittingLearningRate, fittingNeighbours, fittingPatch } from "./fitting";
import type { EncoderInput } from "./input";
import { isObject, type JsonObject, type JsonValue } from "./json";
import { defaultMlpRatio, defaultSize, encoderSizes } from "./presets";
import { branchFor, type SchemaNode, schemaRoot } from "./schema";
import type { EncoderSpec, InitSpec, ShapesDataSpec, Spec } from "./spec";

type Without<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

type FileDataSpec = Exclude<Spec["data"], ShapesDataSpec>;
/** Each of them without `holdOut`. */
type FilledFileData = FileDataSpec extends infer T ? (T extends FileDataSpec ? Without<T, "holdOut"> : never) : never;

/** A spec with the schema's defaults, still without those that other fields decide. */
interface Filled extends Omit<Spec, "name" | "encoder" | "data" | "optimization" | "init" | "evaluation"> {
  readonly $schema?: string;
  readonly extends?: string;
  readonly name?: string;
  readonly encoder: Without<EncoderSpec, "dim" | "depth" | "heads" | "mlpRatio" | "patch"> & Pick<EncoderInput, "size">;
  readonly optimization: Without<Omit<Spec["optimization"], "learningRate">, "globalBatch"> & {
    readonly learningRate: Without<Spec["optimization"]["learningRate"], "start" | "final" | "warmupEpochs">;
  };
  readonly evaluation: Omit<Spec["evaluation"], "knn"> & {
    readonly knn: Without<Spec["evaluation"]["knn"], "neighbours">;
  };
  readonly data: Without<ShapesDataSpec, "sceneSize"> | FilledFileData;
  readonly init: Without<InitSpec, "patchStd">;
}

/** The whole spec of a document that the schema accepts; `name` is the default of the field. */
export function fillDefaults(document: JsonObject, { name }: { readonly name: string }): Spec {
  // The schema has accepted the document, and the types are generated from the same schema.
  const {
    $schema: _,
    extends: __,
    ...filled
  } = fill(branchOf(schemaRoot, objectiveIn(document)), document) as unknown as Filled;
  const encoder = encoderNumbers(filled.encoder, filled.image.size);
  const data =
    filled.data.source === "shapes" ? { sceneSize: filled.image.size, ...filled.data } : { holdOut: 0, ...filled.data };
  const spec = {
    ...filled,
    name: filled.name ?? name,
    encoder,
    data,
    optimization: optimizationOf(filled, trainImagesOf(data)),
    evaluation: evaluationOf(filled, trainImagesOf(data)),
    init: { patchStd: filled.init.std, ...filled.init },
  };
  // Its objective fills in what is still missing.
  return objectiveOf(spec.objective).defaults(spec as Spec);
}

/** Images of an epoch. */
export function trainImagesOf(data: Spec["data"]): number {
  return data.source === "shapes" ? data.trainImages : data.images;
}

function optimizationOf({ objective, optimization, hardware }: Filled, images: number): Spec["optimization"] {
  const { epochs, scheduleScale, accumulation, learningRate } = optimization;
  return {
    globalBatch: fittingBatch({ images, parts: hardware.gpus * accumulation }),
    ...optimization,
    learningRate: {
      ...fittingLearningRate({
        released: objectiveOf(objective).schedule,
        peak: learningRate.peak,
        curveEpochs: epochs * scheduleScale,
      }),
      ...learningRate,
    },
  };
}

function evaluationOf({ evaluation }: Filled, images: number): Spec["evaluation"] {
  const neighbours = fittingNeighbours(Math.min(images, evaluation.trainImages));
  return { ...evaluation, knn: { neighbours, ...evaluation.knn } };
}

function encoderNumbers({ size, ...given }: Filled["encoder"], imageSize: number): EncoderSpec {
  const byNumbers = given.dim !== undefined || given.depth !== undefined || given.heads !== undefined;
  const preset = encoderSizes[size ?? defaultSize];
  return {
    ...preset,
    patch: fittingPatch(imageSize),
    ...(size === undefined && byNumbers && { mlpRatio: defaultMlpRatio }),
    ...given,
  };
}

/** The value with every default that the schema states, of known keys only, in the schema's order. */
function fill(node: SchemaNode, given: JsonValue | undefined): JsonValue | undefined {
  const value = given === undefined ? node.default : given;
  const properties = branchFor(node, value)?.properties;
  if (properties === undefined || !isObject(value)) return value;
  const out: { [key: string]: JsonValue } = {};
  for (const [key, field] of Object.entries(properties)) {
    const filled = fill(field, value[key]);
    if (filled !== undefined) out[key] = filled;
  }
  return out;
}
