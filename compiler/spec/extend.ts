/** `extends` and `--set`: a document over the one that it extends, and what the command line sets over both. */
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { errors } from "../diagnostics/catalogue";
import type { Diagnostic } from "../diagnostics/diagnostic";
import { isObject, type JsonObject, type JsonPath, type JsonValue, pathText } from "./json";
import { isGrid, type ReadResult, readSpec } from "./read";
import { branchFor, schemaRoot } from "./schema";
import { objectOf, parseSettings, type Setting } from "./settings";
import { type Layer, problemAt, type SpecSource } from "./source";

export interface Layering {
  /** Fields from the command line, each `a.b.c=value`; the last of one field wins. */
  readonly settings?: readonly string[];
  /** Reads what a document extends, by its path from where the reader stands. */
  readonly readBase?: (file: string) => ReadResult;
}

/** The document with everything under and over it; every value knows where it came from. A grid is left alone. */
export function layered(read: ReadResult, { settings: texts = [], readBase = readSpec }: Layering): ReadResult {
  const parsed = parseSettings(texts);
  if (!parsed.ok) return { ok: false, diagnostics: [...parsed.diagnostics, ...(read.ok ? [] : read.diagnostics)] };
  if (!read.ok || isGrid(read.value)) return read;
  const extended = withBases(read, { readBase, above: [] });
  if (!extended.ok) return extended;
  return withSettings(extended, parsed.settings);
}

type Read = Extract<ReadResult, { readonly ok: true }>;

function withSettings({ source, value }: Read, settings: readonly Setting[]): ReadResult {
  if (settings.length === 0 || !isObject(value)) return { ok: true, source, value };
  // Together, so that three numbers of an encoder can take the place of its size.
  const said = settings
    .map(({ layer, path, value: set }) => moved(objectOf(path, set), layer.folder, source.folder))
    .reduce((before, next) => merged(before, next, []));
  const layers = [...settings.map(({ layer }) => layer).reverse(), ...source.layers];
  return { ok: true, source: { ...source, layers }, value: merged(value, said, []) };
}

interface Chain {
  readonly readBase: (file: string) => ReadResult;
  /** Files that lead here, as paths that can be compared. */
  readonly above: readonly string[];
}

function withBases(read: Read, { readBase, above }: Chain): ReadResult {
  const { source, value } = read;
  if (!isObject(value) || typeof value.extends !== "string") return read;
  const given = value.extends;
  const fail = (diagnostics: readonly Diagnostic[]): ReadResult => ({ ok: false, diagnostics });
  const file = isAbsolute(given) ? given : join(baseFolder(source), given);
  const here = [...above, resolve(source.file)];
  if (here.includes(resolve(file))) return fail([problemAt(source, ["extends"], errors.extendsItself({ file }))]);
  const base = readBase(file);
  if (!base.ok) {
    return fail(
      base.diagnostics.map((one) => {
        if (one.place !== null) return one;
        return problemAt(source, ["extends"], errors.extendsUnusable({ file, said: one.what, hint: one.hint }));
      }),
    );
  }
  if (isGrid(base.value) || !isObject(base.value)) {
    const said = isGrid(base.value) ? "is the grid of a sweep" : "is no object";
    return fail([problemAt(source, ["extends"], errors.extendsUnusable({ file, said, hint: null }))]);
  }
  const below = withBases(base, { readBase, above: here });
  if (!below.ok) return below;
  const layers: readonly Layer[] = [...source.layers, ...below.source.layers];
  const lower = moved(inherited(below.value), below.source.folder, source.folder);
  return { ok: true, source: { ...source, layers }, value: merged(lower, value, []) };
}

/** Beside the file, in the words that the user named it by. */
function baseFolder({ file, folder }: SpecSource): string {
  return resolve(dirname(file)) === folder ? dirname(file) : relative(".", folder);
}

/** What is of one experiment alone: another has its own. */
const ownKeys: readonly string[] = ["$schema", "extends", "name", "description"];

function inherited(value: JsonValue): JsonValue {
  if (!isObject(value)) return value;
  return plain(Object.entries(value).filter(([key]) => !ownKeys.includes(key)));
}

/** Without a prototype, so that a key such as `__proto__` is a key like any other. */
function plain(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  const object: { [key: string]: JsonValue } = Object.create(null);
  for (const [key, value] of entries) object[key] = value;
  return object;
}

/** Objects key by key, everything else as a whole; the upper one wins. */
function merged(lower: JsonValue, upper: JsonValue, path: JsonPath): JsonValue {
  if (!isObject(lower) || !isObject(upper)) return upper;
  const kept = Object.entries(lower).filter(([key]) => !replaced(pathText(path), key, lower, upper));
  const below = plain(kept);
  return plain([
    ...kept.filter(([key]) => upper[key] === undefined),
    ...Object.entries(upper).map(([key, value]): [string, JsonValue] => {
      const old = Object.hasOwn(below, key) ? below[key] : undefined;
      return [key, old === undefined ? value : merged(old, value, [...path, key])];
    }),
  ]);
}

const encoderNumbers = ["dim", "depth", "heads"] as const;

/** Another branch of a tagged union, or two ways to say one thing: the upper document's takes the place of the lower one's. */
function replaced(group: string, key: string, lower: JsonObject, upper: JsonObject): boolean {
  const union = schemaRoot.properties?.[group];
  const tag = union?.discriminator?.propertyName;
  if (union !== undefined && tag !== undefined) {
    return upper[tag] !== undefined && branchFor(union, upper) !== branchFor(union, lower);
  }
  if (group !== "encoder") return false;
  if (key === "size") return encoderNumbers.every((name) => upper[name] !== undefined);
  return upper.size !== undefined && [...encoderNumbers, "mlpRatio"].includes(key);
}

/** Relative paths of the data, seen from another folder. */
function moved(value: JsonValue, from: string, to: string): JsonValue {
  if (from === to || !isObject(value) || !isObject(value.data)) return value;
  const data = Object.entries(value.data).map(([key, path]): [string, JsonValue] => {
    const isPath = ["train", "validation"].includes(key) && typeof path === "string" && !isAbsolute(path);
    return [key, isPath ? relative(to, join(from, path)).split(sep).join("/") || "." : path];
  });
  return plain(Object.entries(value).map(([key, inner]) => [key, key === "data" ? plain(data) : inner]));
}
