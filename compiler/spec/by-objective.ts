/**
 * The branches of the schema: which fields an objective has, and with which defaults. The schema holds the fields of all
 * objectives; `x-objectives` says whose a field is where it is not everybody's, `x-defaults` gives the default that it has
 * with an objective where that is another.
 */
import { isObject, type JsonObject, type JsonPath } from "./json";
import { branchFor, type SchemaNode, schemaRoot } from "./schema";

/** Of all experiments of a schema; the first is the default. */
export function objectivesOf({ properties }: SchemaNode): readonly string[] {
  const names = (properties?.objective?.enum ?? []).map(String);
  const first = String(properties?.objective?.default);
  return [first, ...names.filter((name) => name !== first)];
}

/** What a document says of its objective, or the default where it says nothing that there is. */
export function objectiveIn(document: JsonObject, root: SchemaNode = schemaRoot): string {
  const names = objectivesOf(root);
  return names.find((name) => name === document.objective) ?? names[0] ?? "";
}

const isOf = (node: SchemaNode, objective: string): boolean => node["x-objectives"]?.includes(objective) ?? true;

/** The schema of an objective's experiments: its fields alone, with its defaults. */
export function branchOf(node: SchemaNode, objective: string): SchemaNode {
  const { properties, oneOf, items, required, "x-objectives": _, "x-defaults": defaults = {}, ...rest } = node;
  const own = Object.entries(properties ?? {}).filter(([, field]) => isOf(field, objective));
  return {
    ...rest,
    ...(Object.hasOwn(defaults, objective) && { default: defaults[objective] }),
    ...(required && { required: required.filter((key) => own.some(([name]) => name === key)) }),
    ...(items && { items: branchOf(items, objective) }),
    ...(oneOf && { oneOf: oneOf.map((branch) => branchOf(branch, objective)) }),
    ...(properties && {
      properties: Object.fromEntries(
        own.map(([name, field]) => [
          name,
          // The branch of the root is told apart by it.
          name === "objective" && field.enum !== undefined
            ? { ...field, enum: [objective], default: objective }
            : branchOf(field, objective),
        ]),
      ),
    }),
  };
}

/** A field that a document gives although its objective has none of it. */
export interface Stranger {
  readonly path: JsonPath;
  /** The objectives that have it. */
  readonly objectives: readonly string[];
}

/** In the order of the document; of a group that is of others, the group alone. */
export function strangersIn(
  document: JsonObject,
  objective: string,
  root: SchemaNode = schemaRoot,
): readonly Stranger[] {
  const below = (holder: JsonObject, node: SchemaNode | undefined, path: JsonPath): readonly Stranger[] =>
    Object.entries(holder).flatMap(([key, value]) => {
      const field =
        node?.properties !== undefined && Object.hasOwn(node.properties, key) ? node.properties[key] : undefined;
      if (field === undefined) return [];
      const here = [...path, key];
      if (!isOf(field, objective)) return [{ path: here, objectives: field["x-objectives"] ?? [] }];
      return isObject(value) ? below(value, branchFor(field, value), here) : [];
    });
  return below(document, root, []);
}
