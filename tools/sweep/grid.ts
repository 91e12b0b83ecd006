/** A grid file as a person writes it. The types say what schema/sweep.schema.json says; a test compares their keys. */

import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { isGrid } from "../../compiler/spec/read";
import { resolved, type SchemaNode } from "../../compiler/spec/schema";
import { schemaCheck } from "../../compiler/spec/schema-check";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import sweepSchema from "../../schema/sweep.schema.json";

/** Values by JSON pointer of an experiment. */
export type Values = Readonly<Record<string, JsonValue>>;

export interface AxisInput {
  readonly name?: string;
  readonly pointer?: string;
  readonly values?: readonly JsonValue[];
  readonly zip?: Readonly<Record<string, readonly JsonValue[]>>;
  readonly bases?: readonly string[];
  readonly labels?: readonly string[];
}

export interface MetricInput {
  readonly name: string;
  readonly goal?: "max" | "min";
}

export type StopInput =
  | { readonly rule: "floor"; readonly floors: readonly { readonly epoch: number; readonly value: number }[] }
  | { readonly rule: "halving"; readonly epochs: readonly number[]; readonly keep?: number };

export interface GridInput {
  readonly $schema?: string;
  readonly name?: string;
  readonly description?: string;
  readonly base?: string;
  readonly set?: Values;
  readonly axes?: readonly AxisInput[];
  readonly exclude?: readonly Values[];
  readonly seeds?: readonly number[];
  readonly metric?: MetricInput;
  readonly stop?: StopInput;
}

export const gridSchemaDocument = sweepSchema;

/** The schema of a grid file, with every `$ref` replaced by what it names. */
export const gridSchema: SchemaNode = resolved(sweepSchema);

const check = schemaCheck(sweepSchema, gridSchema);

export type CheckedGrid =
  | { readonly ok: true; readonly grid: GridInput }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What the schema says of the document. */
export function checkGrid(source: SpecSource, document: JsonValue): CheckedGrid {
  if (isObject(document) && !isGrid(document) && "data" in document) {
    return { ok: false, diagnostics: [problemAt(source, [], errors.notAGrid())] };
  }
  const found = check(document);
  if (found.length > 0) {
    return { ok: false, diagnostics: found.map(({ path, problem, part }) => problemAt(source, path, problem, part)) };
  }
  // The schema has accepted the document, and the types say the same.
  return { ok: true, grid: document as unknown as GridInput & JsonObject };
}
