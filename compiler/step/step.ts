/**
 * The step of a trainer, told once: calls in order of execution over declared trees. Its text (emit/calls.ts), its memory
 * (memory.ts) and its operations (cost.ts) are folds over this list.
 */
import type { OpName } from "../../runtime/ops/ops";
import { shardLength } from "../../runtime/step/shards";
import { type InputName, type ParameterPart, type StateName, stateTrees } from "../../runtime/step/trees";
import type { Differentiated } from "../autodiff/gradients";
import type { TrainedModel, TrainedStage } from "../autodiff/trained";
import type { Leaf, Value } from "../ir/graph";
import { sizeOf } from "../ir/number";
import type { NetworkName, Stage } from "../ir/stage";
import type { ModelTrees } from "../model/trees";
import type { Plan } from "../plan/plan";

/** Where in the step a call stands. `reduce` is what makes one gradient of several. */
export type Region = "forward" | "backward" | "reduce" | "update";

/** Whose work a call is, for costs: `images`, the part of a chain, `loss` or `update`. */
export type Part = string;

interface AnyCall {
  readonly region: Region;
  readonly part: Part;
}

/** A stage without a backward pass, once or for every block of its range. */
export interface InferenceCall extends AnyCall {
  readonly kind: "inference";
  readonly stage: Stage;
  /** The tree that the weights of its encoder are of. */
  readonly weights: StateName;
  /** What the chain has come to; absent at its beginning. */
  readonly running?: Call;
  /** Name of what it makes; the stages of a chain but the last make one running value. */
  readonly result: string;
  readonly isLast: boolean;
}

/** A stage that keeps what its backward pass reads. */
export interface ForwardCall extends AnyCall {
  readonly kind: "forward";
  readonly stage: TrainedStage;
  readonly chain: string;
  readonly running?: Call;
}

/** The gradients of a stage, the last block first. */
export interface BackwardCall extends AnyCall {
  readonly kind: "backward";
  readonly forward: ForwardCall;
  /** What gives the gradient of the stage's result. */
  readonly gradient: Call;
}

/** A term of the loss, or all of it where there is one. */
export interface LossCall extends AnyCall {
  readonly kind: "loss";
  readonly loss: Differentiated;
  /** The first is what it is differentiated by. */
  readonly reads: readonly Call[];
  readonly name: string;
}

export interface LossGradientCall extends AnyCall {
  readonly kind: "loss gradient";
  readonly loss: LossCall;
  readonly name: string;
}

/** The sum of two tensors of one shape: of the terms of the loss, or of gradients that meet. */
export interface SumCall extends AnyCall {
  readonly kind: "sum";
  readonly terms: readonly [Call, Call];
  readonly name: string;
}

/** The tree of all gradients, laid out like the weights, from what the backward calls made. */
export interface CollectCall extends AnyCall {
  readonly kind: "collect";
  readonly from: readonly BackwardCall[];
  readonly gives: TreeValue;
}

/** A tree of tensors, laid out like the parameters or a part of them. */
export interface TreeValue {
  /** As generated code names it. */
  readonly name: string;
  /** The name of one of its tensors where an op runs for each. */
  readonly each: string;
  readonly part: ParameterPart;
  /** Set where the function finds it in the state. */
  readonly state?: StateName;
  /** Set where it is the encoder's part of another tree. */
  readonly encoderOf?: TreeValue;
  /** Set where it is what this device keeps of each tensor of another tree. */
  readonly shardOf?: TreeValue;
}

/** A scalar that ops on trees read: a leaf of the schedule, or what a call made. */
export type ScalarValue = { readonly leaf: Leaf } | { readonly call: ScalarCall };

interface AnyTreeCall extends AnyCall {
  readonly op: OpName;
  /** Attributes as TypeScript, made by the compiler. */
  readonly attrs: readonly (readonly [name: string, code: string])[];
}

/** One op for every tensor of trees of one form. */
export interface EachCall extends AnyTreeCall {
  readonly kind: "each";
  readonly trees: readonly TreeValue[];
  readonly scalars: readonly ScalarValue[];
  readonly gives: readonly TreeValue[];
}

/** An op that gives a scalar: over all tensors of a tree, or on another scalar. */
export interface ScalarCall extends AnyTreeCall {
  readonly kind: "scalar";
  readonly of: TreeValue | ScalarCall;
  readonly name: string;
}

export type Call =
  | InferenceCall
  | ForwardCall
  | BackwardCall
  | LossCall
  | LossGradientCall
  | SumCall
  | CollectCall
  | EachCall
  | ScalarCall;

/** What to do with a call of each kind. */
export type CallTable<T> = { readonly [K in Call["kind"]]: (call: Extract<Call, { readonly kind: K }>) => T };

export function byKind<T>(call: Call, table: CallTable<T>): T {
  // every entry takes the calls of its own kind
  return (table[call.kind] as (call: Call) => T)(call);
}

/** Calls under one heading; some need none. */
export interface Section {
  readonly title: string | null;
  readonly calls: readonly Call[];
}

/** One generated function that the trainer runs. */
export interface StepFunction {
  readonly name: "step" | "accumulate" | "update";
  /** Whether it runs for every micro-batch or once a step. */
  readonly every: "micro-batch" | "step";
  readonly reads: readonly StateName[];
  readonly takes: readonly InputName[];
  readonly sections: readonly Section[];
  /** The trees that take the place of those of the state. */
  readonly next: { readonly [K in StateName]?: TreeValue };
  /** Scalars that it gives, by name. */
  readonly outputs: readonly (LossCall | SumCall | ScalarCall)[];
}

export interface Step {
  readonly trees: ModelTrees;
  /** Whose work there is, in the order of the step. */
  readonly parts: readonly Part[];
  /** What lives from step to step, in the order of the store. */
  readonly state: readonly StateName[];
  /** Every trained weight by path. */
  readonly weights: ReadonlyMap<string, Value["shape"]>;
  /** Devices over which the moments of AdamW are divided; 1 where each keeps all of them. */
  readonly shards: number;
  readonly functions: readonly StepFunction[];
}

/** A trainer before it is text. */
export interface Trainer {
  readonly plan: Plan;
  readonly model: TrainedModel;
  readonly step: Step;
}

export const callsOf = ({ sections }: Pick<StepFunction, "sections">): readonly Call[] =>
  sections.flatMap(({ calls }) => calls);

/** The blocks that a stage runs, one after the other; 0 where it has none. */
export function blocksOf({ blocks, repeated }: Stage): readonly number[] {
  if (blocks === undefined) return [0];
  return repeated ? Array.from({ length: blocks.to - blocks.from }, (_, i) => blocks.from + i) : [blocks.from];
}

/** Where a weight of a stage lies among all weights, in one of its blocks. */
export function weightPath(stage: Stage, weight: Value, block: number): string {
  const group = stage.graph.groups.find(({ name }) => name === weight.parameter?.group);
  if (group === undefined) throw new Error(`internal: ${stage.graph.name} has no weight ${weight.name}`);
  const path = weight.parameter?.path ?? "";
  return `${group.path.replace("*", String(block))}${path === "" ? "" : `.${path}`}`;
}

/** The network that a path of a weight begins with. */
export function networkOf(path: string): NetworkName {
  return path.split(".", 1).join("");
}

/** Paths and shapes of the weights of a part. */
export function weightsOfPart({ weights }: Step, part: ParameterPart): readonly (readonly [string, Value["shape"]])[] {
  return [...weights].filter(([path]) => part === "all" || networkOf(path) === part);
}

/** The shape of a device's shard of a tensor of fixed shape. */
export function shardShape(shape: Value["shape"], shards: number): Value["shape"] {
  return [
    shardLength(
      shape.reduce<number>((product, num) => product * sizeOf(num, {}), 1),
      shards,
    ),
  ];
}

/** Paths and shapes of what a device keeps of a tree of the state. */
export function stateTensors(step: Step, name: StateName): readonly (readonly [string, Value["shape"]])[] {
  const { part, ofOptimizer = false } = stateTrees[name];
  const weights = weightsOfPart(step, part);
  if (!ofOptimizer || step.shards === 1) return weights;
  return weights.map(([path, shape]) => [path, shardShape(shape, step.shards)]);
}
