/** JSON pointers (RFC 6901) to fields of an experiment. */
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import { nearest } from "../../compiler/diagnostics/near";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { type SchemaNode, schemaRoot } from "../../compiler/spec/schema";

/** The keys from the root of an experiment. */
export function keysOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The pointer of a field by its keys. */
export function pointerOf(keys: readonly string[]): string {
  return keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Whether one of two pointers is the other, or holds it. */
export function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** Fields that a sweep gives itself, and what to do instead. */
const notSwept: { readonly [pointer: string]: string } = {
  "/name": "Points are named after the sweep and their labels: give `labels` to the axis.",
  "/seed": "Give the seeds as `seeds`, so that results are averaged over them.",
  "/$schema": "It is for editors only.",
  "/extends": "The base may extend another experiment.",
};

/** What is wrong with a pointer as the name of a field; null where nothing is. */
export function pointerProblem(pointer: string): Problem | null {
  const hint = Object.hasOwn(notSwept, pointer) ? notSwept[pointer] : undefined;
  if (hint !== undefined) return errors.pointerIsNotSwept({ what: "is not set by a grid", hint });
  if (!pointer.startsWith("/") || /~(?![01])/.test(pointer)) {
    return errors.unknownPointer({ known: [], near: nearPointer(pointer) });
  }
  let node: SchemaNode = schemaRoot;
  let here = "";
  for (const key of keysOf(pointer)) {
    const fields = fieldsOf(node);
    const field = fields.get(key);
    if (field === undefined) {
      if (node.type === "array" && /^\d+$|^-$/.test(key)) {
        return errors.pointerIsNotSwept({ what: "is one entry of a list", hint: `Set \`${here}\` as a whole.` });
      }
      const known = [...fields.keys()];
      // A slash inside a key was meant to part two keys.
      const near = key.includes("/") ? null : nearest(key, known);
      return errors.unknownPointer({
        known: known.map((other) => `${here}/${other}`).filter((other) => !Object.hasOwn(notSwept, other)),
        near: near === null || known.length === 0 ? nearPointer(pointer) : nearHere(here, near, pointer),
      });
    }
    node = field;
    here = `${here}/${key}`;
  }
  return null;
}

/** The pointer with the wrong key mended, and what follows it where that is a field too. */
function nearHere(here: string, near: string, pointer: string): string {
  const mended = `${here}/${near}`;
  const rest = pointer
    .slice(here.length + 1)
    .split("/")
    .slice(1);
  const whole = [mended, ...rest].join("/");
  return fieldPointers.includes(whole) ? whole : mended;
}

/** What a node holds by key; of a union (`data`, `masking`), the fields of all its branches. */
function fieldsOf(node: SchemaNode): ReadonlyMap<string, SchemaNode> {
  const nodes = node.discriminator === undefined ? [node] : (node.oneOf ?? []);
  const fields = new Map<string, SchemaNode>();
  for (const [key, field] of nodes.flatMap(({ properties }) => Object.entries(properties ?? {}))) {
    const known = fields.get(key);
    // Branches may have a group of one name with other fields in it.
    const properties = known?.properties && { ...known.properties, ...field.properties };
    fields.set(key, known === undefined ? field : { ...known, ...(properties && { properties }) });
  }
  return fields;
}

/** Every field and every group that a grid can set. */
export const fieldPointers: readonly string[] = below(schemaRoot, "").filter(
  (pointer) => !Object.hasOwn(notSwept, pointer),
);

function below(node: SchemaNode, here: string): string[] {
  return [...fieldsOf(node)].flatMap(([key, field]) => [`${here}/${key}`, ...below(field, `${here}/${key}`)]);
}

/** `encoder.dim`, `lr`, `/masking/scale`: the field that has all these words, or whose last word is near. */
function nearPointer(written: string): string | null {
  const words = written
    .replaceAll("~1", "/")
    .split(/[/.]/)
    .filter((word) => word !== "");
  const whole = `/${words.join("/")}`;
  if (fieldPointers.includes(whole)) return whole;
  const last = words.at(-1) ?? "";
  const ends = fieldPointers.filter((pointer) => keysOf(pointer).at(-1) === last);
  if (ends.length === 1) return ends[0] ?? null;
  if (ends.length > 1) return nearest(whole, ends) ?? null;
  const near = nearest(whole, fieldPointers);
  if (near !== null) return near;
  const lastWords = [...new Set(fieldPointers.map((pointer) => keysOf(pointer).at(-1) ?? ""))];
  const word = nearest(last, lastWords);
  return word === null ? null : (fieldPointers.find((pointer) => keysOf(pointer).at(-1) === word) ?? null);
}

/**
 * A copy of the document with the value in the place of what was there; groups on the way appear where they lack. Where
 * something that is no group is in the way it stays, and validation says so.
 */
export function withValue(document: JsonObject, keys: readonly string[], value: JsonValue): JsonObject {
  const [key, ...rest] = keys;
  if (key === undefined) throw new Error("internal: a pointer to the whole experiment");
  if (rest.length === 0) return { ...document, [key]: value };
  const inner = document[key] ?? {};
  return isObject(inner) ? { ...document, [key]: withValue(inner, rest, value) } : document;
}
