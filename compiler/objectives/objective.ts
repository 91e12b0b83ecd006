/**
 * What the compiler has to know of an objective. Its folder says all of it, index.ts is the table by name, and whoever wants
 * it asks there: the rules of a spec, the plan, the model, the text of headers and reports. What the runtime has to know lies
 * in runtime/objectives, by the same name.
 */
import type { Experiment, MaskPlan } from "../../runtime/experiment";
import type { Model } from "../model/model";
import type { BaseNumbers } from "../plan/model-numbers";
import type { Rule } from "../spec/rule";
import type { Spec } from "../spec/spec";

/** The fields of an experiment that an objective decides. */
export type ObjectiveConstants = Pick<Experiment, "predictor" | "masks" | "targetsMaskedAt">;

export interface ObjectivePlan<N extends BaseNumbers> {
  readonly constants: ObjectiveConstants;
  /** The numbers of its model beside those of every model. */
  readonly numbers: Omit<N, keyof BaseNumbers>;
}

/** The programs of a step, for report.md. */
export interface ProgramsText {
  /** A paragraph. */
  readonly note: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Objective<N extends BaseNumbers> {
  /** Rules between its fields; those of every spec are in compiler/spec/rules.ts. */
  readonly rules: readonly Rule[];
  /** Its masks and its networks. `masks` in place of those that follow from the spec: a recorded run brings its own. */
  readonly plan: (spec: Spec, masks?: MaskPlan) => ObjectivePlan<N>;
  /** Its chains of stages, its targets, its loss, its parameters, and what the state has of it. */
  readonly model: (numbers: N) => Model;
  /** What the header of each generated file says of it, a few words each: `4 targets`. */
  readonly headline: (experiment: Experiment) => readonly string[];
  readonly programs: (experiment: Experiment) => ProgramsText;
}
