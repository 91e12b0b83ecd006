/** From a file to a spec that every later stage can rely on, or to everything that is wrong with it. */
import { createHash } from "node:crypto";
import { errors } from "../diagnostics/catalogue";
import type { Diagnostic } from "../diagnostics/diagnostic";
import { objectiveOf } from "../objectives";
import { counted } from "./counted";
import { fillDefaults } from "./defaults";
import { type Layering, layered } from "./extend";
import { canonicalJson, isObject, type JsonObject, type JsonPath, type JsonValue } from "./json";
import { isGrid, parseSpec, type ReadResult, readSpec, type SpecText } from "./read";
import { rules } from "./rules";
import { problemAt, type SpecSource } from "./source";
import type { Spec } from "./spec";
import { validate } from "./validate";
import { warnings } from "./warnings";

export type LoadedSpec =
  | {
      readonly ok: true;
      readonly spec: Spec;
      /** sha256 of the canonical spec, defaults included: the same for every way of writing it. */
      readonly hash: string;
      /** For errors of later stages: `problemAt(source, path, problem)`. */
      readonly source: SpecSource;
      /** What the file says, with what it extends and what the command line sets; no defaults. */
      readonly document: JsonObject;
      readonly warnings: readonly Diagnostic[];
      /** What the command line set, each `a.b.c=value`. */
      readonly settings: readonly string[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads, validates and completes the spec in `file`. Never throws for what is in the file. */
export function loadSpec(file: string, layering: Layering = {}): LoadedSpec {
  return specOf(readSpec(file), layering);
}

/** The same for a text. */
export function specFromText(input: SpecText, layering: Layering = {}): LoadedSpec {
  return specOf(parseSpec(input), layering);
}

/** The same for what is read already. */
export function specOf(read: ReadResult, layering: Layering = {}): LoadedSpec {
  return complete(layered(read, layering), layering.settings ?? []);
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

function complete(read: ReadResult, settings: readonly string[]): LoadedSpec {
  if (!read.ok) return read;
  const { source, value } = read;
  if (isGrid(value)) return { ok: false, diagnostics: [problemAt(source, [], errors.isAGrid())] };
  const { diagnostics, broken, usable } = validate(source, value);
  const { document, finding } = counted(usable, source.folder);
  const unknown = finding === null ? broken : [...broken, "data"];
  const spec = fillDefaults(document, { name: source.name });
  const subject = { spec, given: (path: JsonPath) => isGiven(value, path), folder: source.folder };
  const own = objectiveOf(spec.objective);
  const found = [...rules, ...own.rules]
    .filter((rule) => !rule.reads.some((field) => unknown.some((other) => overlaps(field, other))))
    .flatMap((rule) => rule.check(subject))
    .concat(finding ?? [])
    .map(({ path, problem }) => problemAt(source, path, problem));
  const all = [...diagnostics, ...found].sort(byPlace);
  if (all.length > 0) return { ok: false, diagnostics: all };
  const warned = [...own.warnings, ...warnings]
    .flatMap((rule) => rule.check(subject))
    .map(({ path, problem }) => problemAt(source, path, problem))
    .sort(byPlace);
  return { ok: true, spec, hash: specHash(spec), source, document: usable, warnings: warned, settings };
}

/** Whether the document itself says something at `path`. */
function isGiven(document: JsonValue, path: JsonPath): boolean {
  let value: JsonValue | undefined = document;
  for (const step of path) {
    if (typeof step === "number") value = Array.isArray(value) ? value[step] : undefined;
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value !== undefined;
}

/** Whether one of two fields is the other, or holds it. */
function overlaps(a: string, b: string): boolean {
  return b === "" || a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.place === null || b.place === null) return Number(a.place !== null) - Number(b.place !== null);
  return a.place.line - b.place.line || a.place.column - b.place.column;
}
