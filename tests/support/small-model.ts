/** A model small enough to run in float64, with every axis of another size. */
import { buildModel, type Model } from "../../compiler/objectives/ijepa/chains";
import type { ModelNumbers } from "../../compiler/plan/model-numbers";

export const smallNumbers: ModelNumbers = {
  imageHeight: 12,
  imageWidth: 12,
  pixels: "u8",
  patch: 3,
  tokens: 16,
  images: 2,
  encoder: { dim: 8, depth: 3, heads: 2, hidden: 20 },
  predictor: { dim: 12, depth: 3, heads: 3, hidden: 10 },
  contexts: 1,
  targets: 3,
  contextTokens: 5,
  targetTokens: 4,
  varies: { context: true, target: true, sequence: true },
  targetSpace: "representations",
  normalizeTargets: true,
  loss: "smoothL1",
  operands: "f32",
  dropPath: false,
};

export const smallModel = (change: Partial<ModelNumbers> = {}): Model => buildModel({ ...smallNumbers, ...change });
