/** Evaluation of the encoder that is being trained, through the engine that trains it. */

import type { Engine, StateStore } from "../engines/engine";
import {
  type EvaluatedEncoder,
  evaluate,
  type LabelledSplit,
  paddedFeatures,
  type SplitName,
} from "../evaluate/evaluate";
import type { TrainerProgram } from "../experiment";
import type { RunEvaluation } from "./environment";
import { constantsOf, featuresFunction, inputsOf } from "./functions";
import { stateSpecs, writeInitialTarget } from "./state";

export interface RunEvaluationOptions {
  readonly program: TrainerProgram;
  readonly engine: Engine;
  /** Holds the target encoder that is trained. */
  readonly store: StateStore;
  readonly labelled: Readonly<Record<SplitName, LabelledSplit>>;
  readonly isStopping: () => boolean;
}

export function evaluateRun(options: RunEvaluationOptions): RunEvaluation {
  const { program, engine, labelled, isStopping } = options;
  const { experiment, parameters } = program;
  const { deviceBatch } = experiment.optimiser;
  const common = { labelled, plan: experiment.evaluation, image: experiment.image, batch: deviceBatch, isStopping };
  const constants = constantsOf(experiment);

  const encoderOf = async (name: string, store: StateStore): Promise<EvaluatedEncoder> => {
    const fn = await engine.load(featuresFunction(program), store);
    const features = async (images: Uint8Array): Promise<Float32Array> => {
      const found = (await fn.run(inputsOf({ images, ...constants }), {})).get("features");
      if (!(found instanceof Float32Array)) throw new Error("internal: features gave no features");
      return found;
    };
    return { name, features: paddedFeatures(deviceBatch, features) };
  };
  // Prepared when it is first needed, and once: it reads the store anew at every call.
  let trained: Promise<EvaluatedEncoder> | null = null;
  const trainedEncoder = (): Promise<EvaluatedEncoder> => {
    trained ??= encoderOf("target encoder", options.store);
    return trained;
  };

  return {
    now: async () => evaluate({ ...common, encoders: [await trainedEncoder()], rawPixels: false, log: () => {} }),
    final: async (note) => {
      const store = engine.createStore(stateSpecs(parameters, program.features.reads));
      await writeInitialTarget(store, parameters, experiment.seed);
      const initial = await encoderOf("random initialisation", store);
      return evaluate({ ...common, encoders: [await trainedEncoder(), initial], log: note });
    },
  };
}
