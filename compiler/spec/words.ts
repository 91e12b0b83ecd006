/** Values and fields in words, for errors and for the reference page. */
import { isObject, type JsonValue } from "./json";
import type { SchemaNode } from "./schema";

/** What a value is, short enough for one line. */
export function foundWords(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  if (typeof value === "string") {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  }
  // JSON knows no Infinity: this is what becomes of 1e400.
  if (typeof value === "number" && !Number.isFinite(value)) return "a number that is too large to compute with";
  return String(value);
}

/** What a field takes, with its unit: `a whole number from 1 to 256 (heads)`. */
export function wantWords(node: SchemaNode): string {
  const unit = node["x-unit"];
  const words = kindWords(node);
  const said = unit === undefined || unit === "choice" || unit === "text" || unit === words || unit === "seed";
  return said ? words : `${words} (${unit})`;
}

/** The same without the unit. */
export function kindWords(node: SchemaNode): string {
  if (node["x-kind"] !== undefined) return node["x-kind"];
  if (node.oneOf !== undefined) return orList(node.oneOf.map(tagOrKind));
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return orList(node.enum.map((choice) => JSON.stringify(choice)));
  const types = node.type === undefined ? [] : typeof node.type === "string" ? [node.type] : node.type;
  return orList(types.map((type) => typeWords(type, node)));
}

function tagOrKind(node: SchemaNode): string {
  const [tag] = Object.entries(node.properties ?? {}).filter(([, field]) => field.const !== undefined);
  return tag === undefined ? kindWords(node) : `an object with "${tag[0]}": ${JSON.stringify(tag[1].const)}`;
}

function typeWords(type: string, node: SchemaNode): string {
  switch (type) {
    case "integer":
      return `a whole number${rangeWords(node)}`;
    case "number":
      return `a number${rangeWords(node)}`;
    case "boolean":
      return "true or false";
    case "string":
      return node["x-pattern"] ?? lengthWords(node);
    case "array":
      return `a list of ${node.minItems} numbers, each${rangeWords(node.items ?? {})}`;
    case "object":
      return "an object { … }";
    default:
      return type;
  }
}

/** ` from 1 to 256`, ` above 0, at most 1`, … with a blank before, or nothing. */
export function rangeWords(node: SchemaNode): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = node;
  const parts: string[] = [];
  if (minimum !== undefined && maximum !== undefined) parts.push(` from ${minimum} to ${maximum}`);
  else {
    if (minimum !== undefined) parts.push(` of at least ${minimum}`);
    if (exclusiveMinimum !== undefined) parts.push(` above ${exclusiveMinimum}`);
    if (maximum !== undefined) parts.push(` at most ${maximum}`);
    if (exclusiveMaximum !== undefined) parts.push(` below ${exclusiveMaximum}`);
  }
  if (multipleOf !== undefined) parts.push(` divisible by ${multipleOf}`);
  return parts.join(",");
}

function lengthWords({ minLength, maxLength }: SchemaNode): string {
  if (maxLength === undefined) return "a text";
  return minLength === undefined
    ? `a text of at most ${maxLength} characters`
    : `a text of ${minLength} to ${maxLength} characters`;
}

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
