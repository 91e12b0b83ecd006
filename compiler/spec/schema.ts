/** Schemas as data: what validation, defaults, types and the reference pages are all read from. */
import experiment from "../../schema/experiment.schema.json";
import { isObject, type JsonPath, type JsonValue } from "./json";

/** The part of JSON Schema 2020-12 that the schemas of experiments and of sweeps use, with this project's annotations. */
export interface SchemaNode {
  readonly $ref?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly properties?: { readonly [key: string]: SchemaNode } | undefined;
  /** What keys beyond `properties` hold: false = there are none. */
  readonly additionalProperties?: boolean | SchemaNode | undefined;
  readonly minProperties?: number | undefined;
  readonly maxProperties?: number | undefined;
  readonly required?: readonly string[] | undefined;
  readonly oneOf?: readonly SchemaNode[] | undefined;
  readonly discriminator?: { readonly propertyName: string } | undefined;
  readonly items?: SchemaNode | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly enum?: readonly (string | number)[] | undefined;
  readonly const?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
  readonly multipleOf?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly pattern?: string | undefined;
  readonly default?: JsonValue | undefined;
  /** What the pattern asks for, in words. */
  readonly "x-pattern"?: string | undefined;
  /** What the field takes, in words, where its type does not say it. */
  readonly "x-kind"?: string | undefined;
  /** A default that other fields decide, in words. */
  readonly "x-default"?: string | undefined;
  readonly "x-unit"?: string | undefined;
  /** Whose field it is, where not all objectives have it. */
  readonly "x-objectives"?: readonly string[] | undefined;
  /** By objective, where its default is another one. */
  readonly "x-defaults"?: { readonly [objective: string]: JsonValue } | undefined;
  /** The branch of a tagged union where a document names none. */
  readonly "x-default-tag"?: string | undefined;
  /** Stands in a file only: nothing after reading sees it. */
  readonly "x-input-only"?: boolean | undefined;
}

/** Keywords that are ours. */
export const annotations = [
  "x-pattern",
  "x-kind",
  "x-default",
  "x-unit",
  "x-default-tag",
  "x-input-only",
  "x-objectives",
  "x-defaults",
] as const;

export const schemaDocument = experiment;

/** The root of an experiment, see `resolved`. */
export const schemaRoot: SchemaNode = resolved(experiment);

/** The root of a schema, with every `$ref` replaced by what it names; keywords beside a `$ref` win. */
export function resolved(
  document: SchemaNode & { readonly $defs: { readonly [name: string]: SchemaNode } },
): SchemaNode {
  const resolve = (node: SchemaNode): SchemaNode => {
    if (node.$ref !== undefined) {
      const { $ref, ...beside } = node;
      const target = document.$defs[$ref.replace("#/$defs/", "")];
      if (target === undefined) throw new Error(`internal: the schema refers to ${$ref}, which it lacks`);
      return resolve({ ...target, ...beside });
    }
    const { properties, items, oneOf, additionalProperties: other } = node;
    return {
      ...node,
      ...(properties && {
        properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, resolve(value)])),
      }),
      ...(items && { items: resolve(items) }),
      ...(typeof other === "object" && { additionalProperties: resolve(other) }),
      ...(oneOf && { oneOf: oneOf.map(resolve) }),
    };
  };
  const { $defs: _, ...root } = document;
  return resolve(root);
}

/** The branch of a tagged union (`data`, `masking`) that a value is of; other nodes are their own. Undefined: no such branch. */
export function branchFor(node: SchemaNode, value: JsonValue | undefined): SchemaNode | undefined {
  if (node.discriminator === undefined) return node;
  const tag = node.discriminator.propertyName;
  const found = (isObject(value) ? value[tag] : undefined) ?? node["x-default-tag"];
  return node.oneOf?.find((branch) => branch.properties?.[tag]?.const === found);
}

/** The tag of a branch of a union. */
export function tagOf(union: SchemaNode, branch: SchemaNode): string | undefined {
  return branch.properties?.[union.discriminator?.propertyName ?? ""]?.const;
}

/** The node of `root` that describes the value at `path` of a document. */
export function nodeAt(root: SchemaNode, document: JsonValue, path: JsonPath): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  let value: JsonValue | undefined = document;
  for (const step of path) {
    if (node === undefined) return undefined;
    node = typeof step === "number" ? node.items : fieldOf(branchFor(node, value), step);
    if (typeof step === "number") value = Array.isArray(value) ? value[step] : undefined;
    else value = isObject(value) ? value[step] : undefined;
  }
  return node;
}

function fieldOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  if (node?.properties !== undefined && Object.hasOwn(node.properties, key)) return node.properties[key];
  return typeof node?.additionalProperties === "object" ? node.additionalProperties : undefined;
}
