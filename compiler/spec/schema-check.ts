/** What a schema finds wrong with a document, in the terms of its fields: each field once. */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { errors } from "../diagnostics/catalogue";
import type { Problem } from "../diagnostics/diagnostic";
import { nearest, otherName } from "../diagnostics/near";
import { isObject, type JsonObject, type JsonPath, type JsonValue, pathText } from "./json";
import { annotations, branchFor, nodeAt, type SchemaNode, tagOf } from "./schema";
import { foundWords, orList, wantWords } from "./words";

const ajv = new Ajv2020({ allErrors: true, discriminator: true, allowUnionTypes: true });
for (const keyword of annotations) ajv.addKeyword(keyword);

/** One field, and what is wrong with it. */
export interface Found {
  readonly path: JsonPath;
  readonly problem: Problem;
  /** `key` where the field itself is not wanted, `value` where what it says is wrong or missing. */
  readonly part: "key" | "value";
  /** The field that an unknown key probably stands for: what it should have said is not known. */
  readonly meant: JsonPath | null;
}

/**
 * A check of documents against a schema; `root` is the same schema with its references resolved. `branch` gives the part of it
 * whose fields a document may have, where that is not all of it.
 */
export function schemaCheck(
  schema: object,
  root: SchemaNode,
  branch: (document: JsonObject) => SchemaNode = () => root,
): (document: JsonValue) => readonly Found[] {
  const accepts = ajv.compile(withTagsRequired(schema));
  return (written) => {
    const document = withDefaultTags(root, written);
    if (accepts(document)) return [];
    if (!isObject(document)) {
      const problem = errors.wrongType({ found: foundWords(document), want: "an object { … }", near: null });
      return [{ path: [], problem, part: "value", meant: null }];
    }
    const own = branch(document);
    const found = new Map<string, Found>();
    for (const error of accepts.errors ?? []) {
      const one = explain(root, error, document, own);
      const key = one === null ? "" : pathText(one.path);
      // One field, one problem: a value of the wrong type is also out of range, of the wrong form, and so on.
      if (one !== null && !found.has(key)) found.set(key, one);
    }
    return [...found.values()];
  };
}

/** ajv wants the tag of every union: those that may be left out are there when it looks (`withDefaultTags`). */
function withTagsRequired<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema), (_, node) =>
    node?.["x-default-tag"] === undefined ? node : { ...node, required: [node.discriminator.propertyName] },
  );
}

/** The document with the tags that it leaves out. */
function withDefaultTags(node: SchemaNode, value: JsonValue): JsonValue {
  if (!isObject(value)) return value;
  const tag = node.discriminator?.propertyName;
  const fallback = node["x-default-tag"];
  const isTagged = tag === undefined || fallback === undefined || value[tag] !== undefined;
  const properties = branchFor(node, value)?.properties ?? {};
  const inner = Object.entries(value).map(([key, field]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return [key, known === undefined ? field : withDefaultTags(known, field)];
  });
  return Object.fromEntries(isTagged ? inner : [...inner, [tag, fallback]]);
}

/** What ajv found, in the terms of the field; null for what another error says better. */
function explain(root: SchemaNode, error: ErrorObject, document: JsonObject, own: SchemaNode): Found | null {
  const at = pathOf(error.instancePath, document);
  const value = valueAt(document, at);
  if (error.keyword === "additionalProperties") {
    const key = String(error.params.additionalProperty);
    const ofOwn = knownKeys(own, document, at);
    const known = ofOwn.length === 0 ? knownKeys(root, document, at) : ofOwn;
    const other = otherBranch(root, document, [...at, key]);
    if (other !== null) {
      return { path: [...at, key], problem: errors.fieldOfOther({ ...other, known }), part: "key", meant: null };
    }
    const near = nearest(key, known);
    if (near !== null) {
      return { path: [...at, key], problem: errors.unknownKey({ known, near }), part: "key", meant: [...at, near] };
    }
    const elsewhere = elsewhereOf(root, key, valueAt(document, [...at, key]));
    const problem = errors.unknownKey({ known, near: elsewhere[0] === undefined ? null : elsewhere.join("` or `") });
    // What the field there should have said is not known.
    const [only] = elsewhere;
    return {
      path: [...at, key],
      problem,
      part: "key",
      meant: elsewhere.length === 1 && only !== undefined ? only.split(".") : null,
    };
  }
  if (error.keyword === "required") {
    const key = String(error.params.missingProperty);
    return { path: [...at, key], problem: missing(root, document, at, key), part: "value", meant: null };
  }
  // A tagged union: the tag is missing (said by `required`) or names no branch.
  const isTag = error.keyword === "discriminator";
  if (isTag && (!isObject(value) || value[String(error.params.tag)] === undefined)) return null;
  const path = isTag ? [...at, String(error.params.tag)] : at;
  return { path, problem: valueProblem(root, document, path, error.keyword), part: "value", meant: null };
}

/** The branches of a tagged union that have the field which the branch of the document lacks; null where none has. */
function otherBranch(
  root: SchemaNode,
  document: JsonObject,
  path: JsonPath,
): { readonly tag: string; readonly here: string; readonly others: readonly string[] } | null {
  for (let depth = 1; depth < path.length; depth++) {
    const union = nodeAt(root, document, path.slice(0, depth));
    if (union?.discriminator === undefined) continue;
    const branch = branchFor(union, valueAt(document, path.slice(0, depth)));
    const here = branch === undefined ? undefined : tagOf(union, branch);
    const others = (union.oneOf ?? []).filter((other) => hasField(other, path.slice(depth)));
    if (here === undefined || others.length === 0) return null;
    const tag = union.discriminator.propertyName;
    return { tag, here, others: others.flatMap((other) => tagOf(union, other) ?? []) };
  }
  return null;
}

function hasField(holder: SchemaNode, [key, ...rest]: JsonPath): boolean {
  if (key === undefined) return true;
  const field =
    typeof key === "string" && Object.hasOwn(holder.properties ?? {}, key) ? holder.properties?.[key] : undefined;
  return field !== undefined && hasField(field, rest);
}

/** The field of a group that a single value is mostly meant for. */
const mainFields: { readonly [group: string]: string } = {
  image: "size",
  encoder: "size",
  "optimization.learningRate": "peak",
  "optimization.weightDecay": "start",
  "optimization.momentum": "start",
};

/** Paths at which a field of this name stands; of names that stand in many places none is meant more than another. */
function elsewhereOf(root: SchemaNode, key: string, value: JsonValue | undefined): readonly string[] {
  const all = fieldsBelow(root, "");
  const names = [...new Set(all.map(({ name }) => name))];
  const name = all.some((field) => field.name === key) ? key : otherName(key, names);
  const paths = all
    .filter((field) => field.name === name)
    .map(({ path, isGroup }) => {
      const main = mainFields[path];
      return isGroup && main !== undefined && !isObject(value) ? `${path}.${main}` : path;
    });
  const places = [...new Set(paths)];
  return places.length > mostElsewhere ? [] : places;
}

const mostElsewhere = 3;

interface FieldBelow {
  readonly name: string;
  readonly path: string;
  readonly isGroup: boolean;
}

function fieldsBelow(node: SchemaNode, at: string): readonly FieldBelow[] {
  const branches = [node, ...(node.oneOf ?? [])];
  return branches.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, field]): readonly FieldBelow[] => {
      const path = at === "" ? name : `${at}.${name}`;
      return [{ name, path, isGroup: field.properties !== undefined }, ...fieldsBelow(field, path)];
    }),
  );
}

function missing(root: SchemaNode, document: JsonObject, at: JsonPath, key: string): Problem {
  const holder = nodeAt(root, document, at);
  const field =
    holder === undefined ? undefined : (branchFor(holder, valueAt(document, at)) ?? holder).properties?.[key];
  const here = valueAt(document, at);
  const known = knownKeys(root, document, at);
  const unknown = isObject(here) ? Object.keys(here).filter((other) => !known.includes(other)) : [];
  const want = field === undefined ? tagWords(holder) : wantWords(field);
  return errors.missingKey({ want, near: nearest(key, unknown) });
}

function valueProblem(root: SchemaNode, document: JsonObject, path: JsonPath, keyword: string): Problem {
  const node = nodeAt(root, document, path);
  const value = valueAt(document, path);
  const found = foundWords(value);
  const want = node === undefined ? tagWords(nodeAt(root, document, path.slice(0, -1))) : wantWords(node);
  switch (keyword) {
    case "minItems":
    case "maxItems":
    case "minProperties":
    case "maxProperties":
      return errors.wrongLength({ found, want });
    case "pattern":
    case "minLength":
    case "maxLength":
      return errors.wrongForm({ found, want });
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
    case "multipleOf":
      return node?.oneOf === undefined
        ? errors.outOfRange({ found, want })
        : errors.notAChoice({ found, want, near: null });
    case "enum":
    case "const":
    case "oneOf":
    case "discriminator":
      return errors.notAChoice({
        found,
        want,
        near: typeof value === "string" ? nearest(value, choicesOf(root, document, path)) : null,
      });
    default:
      // Branches of a choice complain of the type too; none of them is what the field wants.
      if (node?.oneOf !== undefined && node.discriminator === undefined)
        return valueProblem(root, document, path, "oneOf");
      return errors.wrongType({ found, want, near: mainFieldOf(path, value) });
  }
}

/** `optimization.learningRate: 0.001` means the group's main field. */
function mainFieldOf(path: JsonPath, value: JsonValue | undefined): string | null {
  const main = mainFields[pathText(path)];
  const isPlain = typeof value === "number" || typeof value === "string";
  return main === undefined || !isPlain ? null : `${pathText(path)}.${main}`;
}

/** What the tag of a union takes: `"shapes" or "folder"`. */
function tagWords(union: SchemaNode | undefined): string {
  return orList(tags(union).map((tag) => JSON.stringify(tag)));
}

function tags(union: SchemaNode | undefined): readonly string[] {
  const tag = union?.discriminator?.propertyName ?? "";
  return (union?.oneOf ?? []).flatMap((branch) => branch.properties?.[tag]?.const ?? []);
}

function choicesOf(root: SchemaNode, document: JsonObject, path: JsonPath): readonly string[] {
  const node = nodeAt(root, document, path);
  if (node === undefined) return tags(nodeAt(root, document, path.slice(0, -1)));
  const choices = [...(node.enum ?? []), node.const, ...(node.oneOf ?? []).map((branch) => branch.const)];
  return choices.filter((choice) => typeof choice === "string");
}

/** The keys that the object at `path` may have. */
function knownKeys(root: SchemaNode, document: JsonObject, path: JsonPath): readonly string[] {
  const node = nodeAt(root, document, path);
  const branch = node === undefined ? undefined : branchFor(node, valueAt(document, path));
  return Object.keys(branch?.properties ?? {});
}

function valueAt(document: JsonObject, path: JsonPath): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const step of path) {
    if (typeof step === "number") value = Array.isArray(value) ? value[step] : undefined;
    else value = isObject(value) ? value[step] : undefined;
  }
  return value;
}

/** A JSON pointer as a path; what counts in a list is a number. */
function pathOf(pointer: string, document: JsonObject): JsonPath {
  const path: (string | number)[] = [];
  for (const part of pointer.split("/").slice(1)) {
    const step = part.replaceAll("~1", "/").replaceAll("~0", "~");
    path.push(Array.isArray(valueAt(document, path)) ? Number(step) : step);
  }
  return path;
}
