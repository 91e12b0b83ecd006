/** What two experiments mean, field by field, once every default is filled in. */
import {
  canonicalJson,
  isObject,
  type JsonObject,
  type JsonPath,
  type JsonValue,
  pathText,
} from "../../compiler/spec/json";

export interface FieldChange {
  readonly path: string;
  /** Left out where the side has no such field. */
  readonly a?: JsonValue;
  readonly b?: JsonValue;
}

/** Fields whose values differ, in the order of `b`, then those that only `a` has. Lists are one value. */
export function changedFields(a: JsonObject, b: JsonObject): readonly FieldChange[] {
  return changes(a, b, []);
}

function own(holder: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(holder, key) ? holder[key] : undefined;
}

function changes(a: JsonValue | undefined, b: JsonValue | undefined, path: JsonPath): readonly FieldChange[] {
  if ((isObject(a) || a === undefined) && (isObject(b) || b === undefined)) {
    const keys = new Set([...Object.keys(b ?? {}), ...Object.keys(a ?? {})]);
    return [...keys].flatMap((key) => changes(a && own(a, key), b && own(b, key), [...path, key]));
  }
  if (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b)) return [];
  return [{ path: pathText(path), ...(a !== undefined && { a }), ...(b !== undefined && { b }) }];
}

const LONGEST = 60;

/** A value on one line; long lists of records by their length, long texts cut. */
export function valueText(value: JsonValue | undefined): string {
  if (value === undefined) return "(none)";
  if (Array.isArray(value) && value.some(isObject)) return `${value.length} entries`;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
