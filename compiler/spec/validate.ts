/** Checks a document against the schema of experiments: every problem, each once, each at its place. */
import { errors } from "../diagnostics/catalogue";
import type { Diagnostic } from "../diagnostics/diagnostic";
import { branchOf, objectiveIn, strangersIn } from "./by-objective";
import { isObject, type JsonObject, type JsonPath, type JsonValue, pathText } from "./json";
import { schemaDocument, schemaRoot } from "./schema";
import { type Found, schemaCheck } from "./schema-check";
import { problemAt, type SpecSource } from "./source";

export interface Validation {
  readonly diagnostics: readonly Diagnostic[];
  /** Fields whose value is not known, as texts of their paths. */
  readonly broken: readonly string[];
  /** The document without them, such that defaults can be filled. */
  readonly usable: JsonObject;
}

/** Stands for data that can not be used: the only field that has no default. */
const usableData = { data: { source: "shapes" } } as const;

const check = schemaCheck(schemaDocument, schemaRoot, (document) => branchOf(schemaRoot, objectiveIn(document)));

export function validate(source: SpecSource, document: JsonValue): Validation {
  const all = [...check(document), ...(isObject(document) ? ofOthers(document) : [])];
  const diagnostics = all.map(({ path, problem, part }) => problemAt(source, path, problem, part));
  if (!isObject(document)) return { diagnostics, broken: [""], usable: usableData };
  if (all.length === 0) return { diagnostics, broken: [], usable: document };
  return {
    diagnostics,
    broken: all
      .flatMap(({ part, path, meant }) => (part === "value" ? [path] : meant === null ? [] : [meant]))
      .map(fieldText),
    usable: repair(document, all),
  };
}

/** Fields that the objective of the document does not have. */
function ofOthers(document: JsonObject): readonly Found[] {
  const objective = objectiveIn(document);
  return strangersIn(document, objective).map(({ path, objectives }) => ({
    path,
    problem: errors.fieldOfOtherObjective({ objectives, objective }),
    part: "key",
    meant: null,
  }));
}

/** The field that a path is in: a list of numbers is one field. */
function fieldText(path: JsonPath): string {
  const entry = path.findIndex((step) => typeof step === "number");
  return pathText(entry < 0 ? path : path.slice(0, entry));
}

/** The document without what is wrong in it, so that the fields that are right can still be compared. */
function repair(document: JsonObject, found: readonly Found[]): JsonObject {
  const dropped = new Set(found.map((one) => fieldText(one.path)));
  const copy = (value: JsonValue, path: JsonPath): JsonValue => {
    if (!isObject(value)) return value;
    const kept = Object.keys(value).filter((key) => !dropped.has(pathText([...path, key])));
    return Object.fromEntries(kept.map((key) => [key, copy(value[key] ?? null, [...path, key])]));
  };
  const repaired = copy(document, []);
  const dataIsBroken = found.some((one) => one.path[0] === "data" && one.part === "value");
  return { ...(isObject(repaired) ? repaired : {}), ...(dataIsBroken && usableData) };
}
