/** A rule between fields. */
import type { Problem } from "../diagnostics/diagnostic";
import type { JsonPath } from "./json";
import type { Spec } from "./spec";

export interface Finding {
  readonly path: JsonPath;
  readonly problem: Problem;
}

export interface Subject<S extends Spec = Spec> {
  readonly spec: S;
  /** Whether the file itself says something at this path; elsewhere the default stands. */
  readonly given: (path: JsonPath) => boolean;
  /** Absolute: where relative paths start. */
  readonly folder: string;
}

export interface Rule<S extends Spec = Spec> {
  readonly name: string;
  /** Fields that it compares: it is left out where one of them is wrong already. */
  readonly reads: readonly string[];
  check(subject: Subject<S>): readonly Finding[];
}
