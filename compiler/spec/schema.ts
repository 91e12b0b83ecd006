/** The schema of an experiment as data: what validation, defaults, types and the reference page are all read from. */
import experiment from "../../schema/experiment.schema.json";
import { isObject, type JsonObject, type JsonPath, type JsonValue } from "./json";

/** The part of JSON Schema 2020-12 that the schema of an experiment uses, with this project's annotations. */
export interface SchemaNode {
  readonly $ref?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly properties?: { readonly [key: string]: SchemaNode } | undefined;
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
  /** A default that other fields decide, in words. */
  readonly "x-default"?: string | undefined;
  readonly "x-unit"?: string | undefined;
  /** Stands in a file only: nothing after reading sees it. */
  readonly "x-input-only"?: boolean | undefined;
}

/** Keywords that are ours. */
export const annotations = ["x-pattern", "x-default", "x-unit", "x-input-only"] as const;

export const schemaDocument = experiment;

const definitions: { readonly [name: string]: SchemaNode } = experiment.$defs;

/** The root, with every `$ref` replaced by what it names; keywords beside a `$ref` win. */
export const schemaRoot: SchemaNode = resolve(experiment);

function resolve(node: SchemaNode): SchemaNode {
  if (node.$ref !== undefined) {
    const { $ref, ...beside } = node;
    const target = definitions[$ref.replace("#/$defs/", "")];
    if (target === undefined) throw new Error(`internal: the schema refers to ${$ref}, which it lacks`);
    return resolve({ ...target, ...beside });
  }
  return {
    ...node,
    ...(node.properties && {
      properties: Object.fromEntries(Object.entries(node.properties).map(([key, value]) => [key, resolve(value)])),
    }),
    ...(node.oneOf && { oneOf: node.oneOf.map(resolve) }),
  };
}

/** The branch of a tagged union (`data`) that a value is of; other nodes are their own. Undefined: no such branch. */
export function branchFor(node: SchemaNode, value: JsonValue | undefined): SchemaNode | undefined {
  if (node.discriminator === undefined) return node;
  const tag = node.discriminator.propertyName;
  const found = isObject(value) ? value[tag] : undefined;
  return node.oneOf?.find((branch) => branch.properties?.[tag]?.const === found);
}

/** The node that describes the value at `path` of a document. */
export function nodeAt(document: JsonObject, path: JsonPath): SchemaNode | undefined {
  let node: SchemaNode | undefined = schemaRoot;
  let value: JsonValue | undefined = document;
  for (const step of path) {
    if (node === undefined) return undefined;
    node = typeof step === "number" ? node.items : branchFor(node, value)?.properties?.[step];
    value = isObject(value) && typeof step === "string" ? value[step] : undefined;
  }
  return node;
}
