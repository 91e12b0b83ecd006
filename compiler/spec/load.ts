/** From a file to a spec that every later stage can rely on, or to everything that is wrong with it. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { errors } from "../diagnostics/catalogue";
import type { Diagnostic } from "../diagnostics/diagnostic";
import { fillDefaults } from "./defaults";
import { canonicalJson, isObject, type JsonValue } from "./json";
import { isGiven, parseSpec, problemAt, type ReadResult, readSpec, type SpecSource } from "./read";
import { rules } from "./rules";
import type { Spec } from "./spec";
import { validate } from "./validate";

export type LoadedSpec =
  | {
      readonly ok: true;
      readonly spec: Spec;
      /** sha256 of the canonical spec, defaults included: the same for every way of writing it. */
      readonly hash: string;
      /** For errors of later stages: `problemAt(source, path, problem)`. */
      readonly source: SpecSource;
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads, validates and completes the spec in `file`. Never throws for what is in the file. */
export function loadSpec(file: string): LoadedSpec {
  return complete(readSpec(file));
}

/** The same for a text; `file` names it in errors and gives the default name. */
export function specFromText(input: { readonly text: string; readonly file: string }): LoadedSpec {
  return complete(parseSpec(input));
}

export function specHash(spec: Spec): string {
  return hashOf(spec);
}

/**
 * Hash of what is trained, whatever it is trained on: of the spec without its names, its hardware, and the number of parts that a
 * batch is computed in. A state goes on where this is the same; what is left to differ is rounding, and lengths of
 * contexts where the spec leaves them to follow the batch of a device.
 */
export function trainingHash({ name: _, description: __, hardware: ___, optimization, ...spec }: Spec): string {
  const { accumulation: ____, ...optimizer } = optimization;
  return hashOf({ ...spec, optimization: optimizer });
}

function hashOf(spec: object): string {
  // A spec is JSON throughout; its type only lacks the index signature.
  return createHash("sha256")
    .update(canonicalJson(spec as JsonValue))
    .digest("hex");
}

/** Whether a document means to be the grid of a sweep: no experiment has one of these keys. */
export function isGrid(document: JsonValue): boolean {
  return isObject(document) && (Object.hasOwn(document, "base") || Object.hasOwn(document, "axes"));
}

function complete(read: ReadResult): LoadedSpec {
  if (!read.ok) return read;
  const { source, value } = read;
  if (isGrid(value)) return { ok: false, diagnostics: [problemAt(source, [], errors.isAGrid())] };
  const { diagnostics, broken, usable } = validate(source, value);
  const spec = fillDefaults(usable, { name: nameOfFile(source.file) });
  const found = rules
    .filter((rule) => !rule.reads.some((field) => broken.some((other) => overlaps(field, other))))
    .flatMap((rule) => rule.check({ spec, given: (path) => isGiven(source, path) }))
    .map(({ path, problem }) => problemAt(source, path, problem));
  const all = [...diagnostics, ...found].sort(byPlace);
  return all.length > 0 ? { ok: false, diagnostics: all } : { ok: true, spec, hash: specHash(spec), source };
}

function nameOfFile(file: string): string {
  return basename(file).replace(/\.jsonc?$/i, "");
}

/** Whether one of two fields is the other, or holds it. */
function overlaps(a: string, b: string): boolean {
  return b === "" || a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.place === null || b.place === null) return Number(a.place !== null) - Number(b.place !== null);
  return a.place.line - b.place.line || a.place.column - b.place.column;
}
