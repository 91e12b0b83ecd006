/** The generated functions as an engine takes them: what they read, what they are given, and in which shapes. */
import type { EngineFunction, HostArray, TensorSpec, TensorSpecs } from "../engines/engine";
import type { Experiment, GeneratedFunction, Lengths, Parameter, TrainerProgram } from "../experiment";
import { sinCosPositions } from "../model/positions";
import { stateSpecs, targetSpecs } from "./state";

/** Names of the lengths that differ from program to program; see Lengths. */
export const lengthNames = ["C", "T", "S", "U"] as const;

const scalar: TensorSpec = { dtype: "f32", shape: [] };

/** Rows of a pass through the context encoder: every context of every image. */
export function contextRows(experiment: Experiment): number {
  return experiment.optimiser.deviceBatch * experiment.masks.contextCount;
}

export function imagesSpec({ image, optimiser }: Experiment): TensorSpec {
  return { dtype: "f32", shape: [optimiser.deviceBatch, image.channels, image.height, image.width] };
}

/** batch.images, batch.contextIndex, batch.targetIndex and, with stochastic depth, batch.dropPath.<block>.{attn,mlp} */
export function batchSpecs(experiment: Experiment): TensorSpecs {
  const rows = contextRows(experiment);
  const specs = new Map<string, TensorSpec>([
    ["batch.images", imagesSpec(experiment)],
    ["batch.contextIndex", { dtype: "i32", shape: [rows, "C"] }],
    ["batch.targetIndex", { dtype: "i32", shape: [experiment.optimiser.deviceBatch, "U"] }],
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
    ["constants.positions", { dtype: "f32", shape: [tokens, encoder.dim] }],
    ["constants.predictorPositions", { dtype: "f32", shape: [tokens, predictor.dim] }],
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

export function stepFunctions({ experiment, parameters, functions }: TrainerProgram): StepEngineFunctions {
  const paths = [...stateSpecs(parameters, functions.kind).keys()];
  const reads = (...roots: readonly string[]): string[] =>
    paths.filter((path) => roots.some((root) => path.startsWith(`${root}.`)));
  const batch = batchSpecs(experiment);
  const constants = constantSpecs(experiment);
  if (functions.kind === "step") {
    const step: EngineFunction = {
      name: "step",
      reads: reads("weights", "m", "v", "target"),
      inputs: new Map([...batch, ...scheduleSpecs, ...constants]),
      lengths: lengthNames,
      run: runOf(functions.step),
    };
    return { kind: "step", step };
  }
  return {
    kind: "accumulate",
    accumulate: {
      name: "accumulate",
      reads: reads("weights", "target", "gradients"),
      inputs: new Map([...batch, ...constants]),
      lengths: lengthNames,
      run: runOf(functions.accumulate),
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
      ["positions", { dtype: "f32", shape: [gridHeight * gridWidth, program.experiment.encoder.dim] }],
    ]),
    lengths: [],
    run: runOf(program.features),
  };
}

/** Functions without lengths never look at theirs, so zeros complete the record that all generated functions take. */
function runOf(generated: GeneratedFunction): EngineFunction["run"] {
  return (ops, state, inputs, lengths) => {
    const complete: Lengths = { C: 0, T: 0, S: 0, U: 0, ...lengths };
    return generated(ops, state, inputs, complete);
  };
}
