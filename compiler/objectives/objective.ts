/**
 * What the compiler has to know of an objective. Its folder says all of it, index.ts is the table by name, and whoever wants
 * it asks there: the rules of a spec, the plan, the model, the text of headers and reports. What the runtime has to know lies
 * in runtime/objectives, by the same name.
 */
import type { CommonExperiment, ExperimentOf, ObjectiveName } from "../../runtime/experiment";
import type { Trace } from "../../runtime/replay/trace";
import type { Model } from "../model/model";
import type { MaskFacts } from "../plan/mask-facts";
import type { BaseNumbers, Network } from "../plan/model-numbers";
import type { ReleasedSchedule } from "../spec/fitting";
import type { JsonObject } from "../spec/json";
import type { Rule } from "../spec/rule";
import type { Spec } from "../spec/spec";
import type { ModelNumbers } from "./numbers";

export type SpecOf<Name extends ObjectiveName> = Extract<Spec, { readonly objective: Name }>;
export type NumbersOf<Name extends ObjectiveName> = Extract<ModelNumbers, { readonly objective: Name }>;
type MasksOf<Name extends ObjectiveName> = ExperimentOf<Name>["masks"];

type Own<T, Common> = T extends unknown ? Omit<T, keyof Common> : never;

export interface ObjectivePlan<Name extends ObjectiveName> {
  /** The fields of an experiment that it decides. */
  readonly constants: Own<ExperimentOf<Name>, CommonExperiment>;
  /** The numbers of its model beside those of every model. */
  readonly numbers: Own<NumbersOf<Name>, BaseNumbers>;
}

/** The programs of a step, for report.md. */
export interface ProgramsText {
  /** A paragraph. */
  readonly note: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The experiment of a recorded run: sizes, and what the run says of itself. */
export interface RecordedExperiment<Name extends ObjectiveName> {
  /** Fields of its own, beside those of every recorded run (tools/replay/spec.ts). */
  fields(trace: Trace): JsonObject;
  /** Masks that are drawn already: their lengths. */
  masks(trace: Trace): MasksOf<Name>;
  /** The numbers with the smooth L1 loss, where its runs record that and the numbers have another. */
  withSmoothL1(numbers: NumbersOf<Name>): NumbersOf<Name> | null;
  /** The numbers with the mean squared error as the loss, where a run may record that beside its own loss. */
  withMse(numbers: NumbersOf<Name>): NumbersOf<Name> | null;
}

export interface Objective<Name extends ObjectiveName> {
  /** Fills in its fields whose default other fields decide; they may be missing from what it is given. */
  defaults(spec: SpecOf<Name>): SpecOf<Name>;
  /** The learning rate around its peak, as its own code has it. */
  readonly schedule: ReleasedSchedule;
  /** Rules between its fields; those of every spec are in compiler/spec/rules.ts. */
  readonly rules: readonly Rule<SpecOf<Name>>[];
  /** What is probably not meant, of its fields. */
  readonly warnings: readonly Rule<SpecOf<Name>>[];
  /** Its masks and its networks. `masks` in place of those that follow from the spec: a recorded run brings its own. */
  plan(spec: SpecOf<Name>, masks?: MasksOf<Name>): ObjectivePlan<Name>;
  /** Its chains of stages, its targets, its loss, its parameters, and what the state has of it. */
  model(numbers: NumbersOf<Name>): Model;
  /**
   * A decoder of its predicted representations to pixels, trained on the target encoder's: what `ijepa decode` compiles.
   * `why`, a clause, where there are none to decode.
   */
  decoder(numbers: NumbersOf<Name>, network: Network): Model | { readonly why: string };
  /** What the header of each generated file says of it, a few words each: `4 targets`. */
  headline(experiment: ExperimentOf<Name>): readonly string[];
  /** What the two lengths of a program are lengths of: `context` and `target` tokens. */
  readonly tokens: { readonly seen: string; readonly predicted: string };
  programs(experiment: ExperimentOf<Name>): ProgramsText;
  /** What its masks come to, by sampling, where that is not told by their numbers. */
  maskFacts(spec: SpecOf<Name>): MaskFacts | null;
  /** The experiment and the masks of a recorded run, for `ijepa replay`. */
  readonly recorded: RecordedExperiment<Name>;
}
