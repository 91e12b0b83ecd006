/** A model small enough to run in float64, with every axis of another size. */
import type { TrainedModel, TrainedStage } from "../../compiler/autodiff/trained";
import type { Model } from "../../compiler/model/model";
import { buildModel } from "../../compiler/objectives";
import type { IJepaNumbers } from "../../compiler/objectives/ijepa/numbers";

export const smallNumbers: IJepaNumbers = {
  objective: "ijepa",
  imageHeight: 12,
  imageWidth: 12,
  pixels: "u8",
  patch: 3,
  tokens: 16,
  images: 2,
  encoder: { dim: 8, depth: 3, heads: 2, hidden: 20 },
  predictor: { dim: 12, depth: 3, heads: 3, hidden: 10 },
  contexts: 1,
  sets: 1,
  targets: 3,
  contextTokens: 5,
  targetTokens: 4,
  varies: { context: true, target: true, sequence: true },
  targetSpace: "representations",
  targetsMaskedAt: "output",
  normalizeTargets: true,
  loss: "smoothL1",
  regularizer: null,
  operands: "f32",
  dropPath: false,
  classToken: false,
};

/** Stages with a backward pass, of all chains or of one. */
export const trainedOf = ({ chains }: TrainedModel, name?: string): readonly TrainedStage[] =>
  chains.flatMap((chain) =>
    chain.kind === "trained" && (name === undefined || chain.name === name) ? chain.stages : [],
  );

export const smallModel = (change: Partial<IJepaNumbers> = {}): Model => buildModel({ ...smallNumbers, ...change });
