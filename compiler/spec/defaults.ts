/** Fills in every default, so that no later stage has to ask whether a field is there. */
import type { EncoderInput } from "./input";
import { isObject, type JsonObject, type JsonValue } from "./json";
import { defaultMlpRatio, defaultSize, encoderSizes } from "./presets";
import { branchFor, type SchemaNode, schemaRoot } from "./schema";
import type { EncoderSpec, FolderDataSpec, InitSpec, PredictorSpec, ShapesDataSpec, Spec } from "./spec";

type Without<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

/** A spec with the schema's defaults, still without those that other fields decide. */
interface Filled extends Omit<Spec, "name" | "encoder" | "predictor" | "data" | "init"> {
  readonly $schema?: string;
  readonly extends?: string;
  readonly name?: string;
  readonly encoder: Without<EncoderSpec, "dim" | "depth" | "heads" | "mlpRatio"> & Pick<EncoderInput, "size">;
  readonly predictor: Without<PredictorSpec, "heads">;
  readonly data: Without<ShapesDataSpec, "sceneSize"> | FolderDataSpec;
  readonly init: Without<InitSpec, "patchStd">;
}

/** The whole spec of a document that the schema accepts; `name` is the default of the field. */
export function fillDefaults(document: JsonObject, { name }: { readonly name: string }): Spec {
  // The schema has accepted the document, and the types are generated from the same schema.
  const { $schema: _, extends: __, ...filled } = fill(schemaRoot, document) as unknown as Filled;
  const encoder = encoderNumbers(filled.encoder);
  const { data } = filled;
  return {
    ...filled,
    name: filled.name ?? name,
    encoder,
    predictor: { heads: encoder.heads, ...filled.predictor },
    data: data.source === "shapes" ? { sceneSize: filled.image.size, ...data } : data,
    init: { patchStd: filled.init.std, ...filled.init },
  };
}

function encoderNumbers({ size, ...given }: Filled["encoder"]): EncoderSpec {
  const byNumbers = given.dim !== undefined || given.depth !== undefined || given.heads !== undefined;
  const preset = encoderSizes[size ?? defaultSize];
  return { ...preset, ...(size === undefined && byNumbers && { mlpRatio: defaultMlpRatio }), ...given };
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
