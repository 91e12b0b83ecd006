/** Evaluation of the encoder that is being trained, through the engine that trains it. */

import type { Engine, StateStore } from "../engines/engine";
import {
  type EvaluatedEncoder,
  evaluate,
  type LabelledSplit,
  paddedFeatures,
  type SplitName,
  splitsFor,
} from "../evaluate/evaluate";
import type { Features } from "../evaluate/features";
import { type EvaluatingRanks, failingTogether } from "../evaluate/shared-features";
import type { TrainerProgram } from "../experiment";
import { aloneCommunicator } from "../ranks/alone";
import type { RunEvaluation } from "./environment";
import { constantsOf, featuresFunction, inputsOf } from "./functions";
import { stateSpecs, writeInitialState } from "./state";

export interface RunEvaluationOptions {
  readonly program: TrainerProgram;
  readonly engine: Engine;
  /** Holds the encoder that is trained. */
  readonly store: StateStore;
  readonly labelled: Readonly<Record<SplitName, LabelledSplit>>;
  readonly isStopping: () => boolean;
  /** Hears the features of the training images by the judged encoder. */
  readonly seen?: ((features: Features) => void) | null;
  /** Those that share the images; left out: this process alone. */
  readonly ranks?: EvaluatingRanks;
}

/** Throws UserError R151 or R152 at once, not after the training, where the images do not serve for an evaluation. */
export function evaluateRun(options: RunEvaluationOptions): RunEvaluation {
  const { program, engine, labelled, isStopping, ranks = aloneCommunicator() } = options;
  const { experiment, parameters } = program;
  splitsFor(experiment.evaluation, labelled);
  const { deviceBatch } = experiment.optimizer;
  const judged = program.objective.judged.name;
  const common = {
    seen: ({ name }: EvaluatedEncoder, features: Features) => {
      if (name === judged) options.seen?.(features);
    },
    labelled,
    plan: experiment.evaluation,
    image: experiment.image,
    batch: deviceBatch,
    isStopping,
    ranks,
  };
  const constants = constantsOf(program);

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
    trained ??= failingTogether(ranks, () => encoderOf(judged, options.store));
    return trained;
  };

  return {
    now: async () => evaluate({ ...common, encoders: [await trainedEncoder()], rawPixels: false, log: () => {} }),
    final: async (note) => {
      const encoder = await trainedEncoder();
      const initial = await failingTogether(ranks, async () => {
        const store = engine.createStore(stateSpecs(parameters, program.features.reads));
        await writeInitialState(store, parameters, experiment.seed);
        return encoderOf("random initialization", store);
      });
      return evaluate({ ...common, encoders: [encoder, initial], log: note });
    },
  };
}
