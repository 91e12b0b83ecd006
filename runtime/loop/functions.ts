/** The generated functions as an engine takes them: what they read, what they are given, and in which shapes. */
import type { EngineFunction, HostArray, TensorSpec, TensorSpecs } from "../engines/engine";
import type { Experiment, GeneratedFunction, LengthName, Lengths, Parameter, TrainerProgram } from "../experiment";
import { sinCosPositions } from "../model/positions";
import { stateSpecs, targetSpecs } from "./state";

/** Names of the lengths that differ from program to program; see Lengths. */
export const lengthNames: readonly LengthName[] = ["C", "T", "S", "U"];

const scalar: TensorSpec = { dtype: "f32", shape: [] };

/** Rows of a pass through the context encoder: every context of every image. */
export function contextRows(experiment: Experiment): number {
  return experiment.optimiser.deviceBatch * experiment.masks.contextCount;
}

export function imagesSpec({ image, optimiser }: Experiment): TensorSpec {
  return { dtype: "f32", shape: [optimiser.deviceBatch, image.channels, image.height, image.width] };
}

/** The lengths of the first program: those of every program where they do not differ. */
export function firstLengths({ masks }: Experiment): Lengths {
  const [first] = masks.programs;
  if (first === undefined) throw new Error("internal: a mask plan without programs");
  const { contextTokens, targetTokens } = first;
  return { C: contextTokens, T: targetTokens, S: contextTokens + targetTokens, U: masks.targetCount * targetTokens };
}

/** batch.images, batch.contextIndex, batch.targetIndex and, with stochastic depth, batch.dropPath.<block>.{attn,mlp} */
export function batchSpecs(experiment: Experiment, varying: readonly LengthName[] = lengthNames): TensorSpecs {
  const rows = contextRows(experiment);
  const fixed = firstLengths(experiment);
  const length = (name: LengthName): number | string => (varying.includes(name) ? name : fixed[name]);
  const specs = new Map<string, TensorSpec>([
    ["batch.images", imagesSpec(experiment)],
    ["batch.contextIndex", { dtype: "i32", shape: [rows, length("C")] }],
    ["batch.targetIndex", { dtype: "i32", shape: [experiment.optimiser.deviceBatch, length("U")] }],
  ]);
  if (experiment.dropPath > 0) {
    for (let block = 0; block < experiment.encoder.depth; block++) {
      specs.set(`batch.dropPath.${block}.attn`, { dtype: "f32", shape: [rows] });
      specs.set(`batch.dropPath.${block}.mlp`, { dtype: "f32", shape: [rows] });
    }
  }
  return specs;
}

export const scheduleSpecs: TensorSpecs = new Map(
  ["stepSize", "secondMoment", "decayFactor", "keep", "take"].map((name) => [`schedule.${name}`, scalar] as const),
);

export function constantSpecs({ image, encoder, predictor }: Experiment): TensorSpecs {
  const tokens = image.gridHeight * image.gridWidth;
  return new Map<string, TensorSpec>([
    ["constants.positions", { dtype: "f32", shape: [tokens, encoder.dim], constant: true }],
    ["constants.predictorPositions", { dtype: "f32", shape: [tokens, predictor.dim], constant: true }],
  ]);
}

/** The values of `constantSpecs`: made once and handed over as the same arrays at every call. */
export function constantsOf(experiment: Experiment): ReadonlyMap<string, HostArray> {
  const { gridHeight, gridWidth } = experiment.image;
  const table = (dim: number): Float32Array =>
    sinCosPositions({ dim, gridHeight, gridWidth, scale: experiment.positionScale });
  return new Map([
    ["constants.positions", table(experiment.encoder.dim)],
    ["constants.predictorPositions", table(experiment.predictor.dim)],
  ]);
}

export type StepEngineFunctions =
  | { readonly kind: "step"; readonly step: EngineFunction }
  | { readonly kind: "accumulate"; readonly accumulate: EngineFunction; readonly update: EngineFunction };

export function stepFunctions({ experiment, parameters, functions, lengths }: TrainerProgram): StepEngineFunctions {
  const paths = [...stateSpecs(parameters, functions.kind).keys()];
  const reads = (...roots: readonly string[]): string[] =>
    paths.filter((path) => roots.some((root) => path.startsWith(`${root}.`)));
  const batch = batchSpecs(experiment, lengths);
  const fixed = firstLengths(experiment);
  const constants = constantSpecs(experiment);
  if (functions.kind === "step") {
    const step: EngineFunction = {
      name: "step",
      reads: reads("weights", "m", "v", "target"),
      inputs: new Map([...batch, ...scheduleSpecs, ...constants]),
      lengths,
      run: runOf(functions.step, fixed),
    };
    return { kind: "step", step };
  }
  return {
    kind: "accumulate",
    accumulate: {
      name: "accumulate",
      reads: reads("weights", "target", "gradients"),
      inputs: new Map([...batch, ...constants]),
      lengths,
      run: runOf(functions.accumulate, fixed),
    },
    update: {
      name: "update",
      reads: reads("weights", "m", "v", "target", "gradients"),
      inputs: scheduleSpecs,
      lengths: [],
      run: runOf(functions.update),
    },
  };
}

/** Images [B, 3, H, W] → features [B, D] of the target encoder. Its inputs are `images` and `positions`. */
export function featuresFunction(program: {
  readonly experiment: Experiment;
  readonly parameters: readonly Parameter[];
  readonly features: GeneratedFunction;
}): EngineFunction {
  const { gridHeight, gridWidth } = program.experiment.image;
  return {
    name: "features",
    reads: [...targetSpecs(program.parameters).keys()],
    inputs: new Map<string, TensorSpec>([
      ["images", imagesSpec(program.experiment)],
      ["positions", { dtype: "f32", shape: [gridHeight * gridWidth, program.experiment.encoder.dim], constant: true }],
    ]),
    lengths: [],
    run: runOf(program.features),
  };
}

const noLengths: Lengths = { C: 0, T: 0, S: 0, U: 0 };

/** Generated functions take a whole record of lengths; the engine knows those that vary. Others are as in every program. */
export function runOf(generated: GeneratedFunction, fixed: Lengths = noLengths): EngineFunction["run"] {
  return (ops, state, inputs, lengths) => generated(ops, state, inputs, { ...fixed, ...lengths });
}
