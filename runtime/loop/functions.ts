/** The generated functions as an engine takes them: what they read, what they are given, and in which shapes. */
import type { EngineFunction, ExpectedLengths, HostArray, TensorSpec, TensorSpecs } from "../engines/engine";
import type { Experiment, GeneratedFunction, StepFunction, TrainerProgram } from "../experiment";
import { positionsOf } from "../model/positions";
import { leavesOf } from "../ops/tree";
import { type Lengths, lengthsOf } from "../step/lengths";
import type { ConstantsTree } from "../step/trees";
import { stateSpecs } from "./state";

/** The lengths of the first program: those of every program where they do not differ. */
export function firstLengths({ masks }: Experiment): Lengths {
  const [first] = masks.programs;
  if (first === undefined) throw new Error("internal: a mask plan without programs");
  return lengthsOf(first, masks.targetCount);
}

/** The lengths of every program, with how often it is drawn. */
function expectedLengths({ masks }: Experiment): readonly ExpectedLengths[] {
  return masks.programs.map((program) => ({
    lengths: lengthsOf(program, masks.targetCount),
    probability: program.probability,
  }));
}

const isSpec = (value: object): value is TensorSpec => "dtype" in value;
const isArray = (value: object): value is HostArray => ArrayBuffer.isView(value);

/** Inputs of a function by path, e.g. `batch.images`. */
export function inputSpecs({ inputs }: Pick<GeneratedFunction, "inputs">): TensorSpecs {
  return new Map(leavesOf(inputs, isSpec));
}

/** Numbers of a tree by path, as engines take them. */
export function inputsOf(tree: object): ReadonlyMap<string, HostArray> {
  return new Map(leavesOf(tree, isArray));
}

/** Constants of every step, and those of an objective by their names. */
export type Constants = Required<ConstantsTree<Float32Array>> & { readonly [name: string]: Float32Array };

/** Made once and handed over as the same arrays at every call; a function may take a part of them. */
export function constantsOf({ experiment, objective }: Pick<TrainerProgram, "experiment" | "objective">): Constants {
  return {
    ...objective.constants(experiment),
    positions: positionsOf(experiment, experiment.encoder.dim),
    pixelMean: Float32Array.from(experiment.image.mean),
    pixelStd: Float32Array.from(experiment.image.std),
  };
}

type Program = Pick<TrainerProgram, "experiment" | "parameters" | "lengths">;

/** A generated function for an engine: lengths that do not differ are those of every program. */
export function engineFunction(name: string, fn: GeneratedFunction, program: Program): EngineFunction {
  const { experiment, parameters, lengths } = program;
  const inputs = inputSpecs(fn);
  const varies = [...inputs.values()].some(({ shape }) => shape.some((size) => typeof size === "string"));
  const fixed = firstLengths(experiment);
  return {
    name,
    reads: [...stateSpecs(parameters, fn.reads).keys()],
    inputs,
    lengths: varies ? lengths : [],
    run: (ops, state, given, values) => fn.run(ops, state, given, { ...fixed, ...values }),
  };
}

/** The function that runs for every micro-batch, and the one after them where there is one. */
export interface StepFunctions<Fn> {
  readonly microBatch: Fn;
  readonly update: Fn | null;
}

export function stepFunctions({ functions }: Pick<TrainerProgram, "functions">): StepFunctions<StepFunction> {
  const microBatch = functions.find(({ every }) => every === "micro-batch");
  if (microBatch === undefined) throw new Error("internal: a step that takes no batch");
  return { microBatch, update: functions.find(({ every }) => every === "step") ?? null };
}

export function stepEngineFunctions(program: TrainerProgram): StepFunctions<EngineFunction> {
  const { microBatch, update } = stepFunctions(program);
  return {
    microBatch: {
      ...engineFunction(microBatch.name, microBatch, program),
      programs: expectedLengths(program.experiment),
    },
    update: update && engineFunction(update.name, update, program),
  };
}

/** Images [B, 3, H, W] → features [B, D] of the encoder that is judged. Its inputs are `images`, and constants by their names. */
export function featuresFunction(program: TrainerProgram): EngineFunction {
  return engineFunction("features", program.features, program);
}
