/** The experiment of a recorded run. Its masks are recorded, so no rule about masks, data or probes applies to it. */

import { fillDefaults } from "../../compiler/spec/defaults";
import type { JsonObject } from "../../compiler/spec/json";
import type { Spec } from "../../compiler/spec/spec";
import type { MaskPlan } from "../../runtime/experiment";
import type { Trace } from "../../runtime/replay/trace";

/** A ratio whose product with `dim`, rounded down, is `hidden`. */
const ratioOf = (hidden: number, dim: number): number => (hidden + 0.5) / dim;

/** The ranks of a trace are divided among the devices; those of one are micro-batches, whose mean gradient is theirs. */
export function specOfTrace(
  { title: name, config, grid, images, ranks, hidden, predictorHidden }: Trace,
  devices = 1,
): Spec {
  const { schedule } = config;
  const document: JsonObject = {
    name,
    description: "A recorded run.",
    // A patch that does not fit is cut off, as the reference's convolution does.
    image: { size: grid * config.patch },
    encoder: {
      dim: config.dim,
      depth: config.depth,
      heads: config.heads,
      mlpRatio: ratioOf(hidden, config.dim),
      patch: config.patch,
    },
    predictor: {
      dim: config.predictorDim,
      depth: config.predictorDepth,
      heads: config.heads,
      mlpRatio: ratioOf(predictorHidden, config.predictorDim),
    },
    data: { source: "folder", train: "images", images: (schedule?.stepsPerEpoch ?? 1) * images * ranks },
    optimization: {
      globalBatch: images * ranks,
      accumulation: ranks / devices,
      ...(schedule !== null && {
        epochs: schedule.epochs,
        scheduleScale: schedule.stretch,
        learningRate: { ...schedule.learningRate, warmupEpochs: schedule.warmupEpochs },
        weightDecay: { ...schedule.weightDecay },
        momentum: { ...schedule.momentum },
      }),
    },
    hardware: { gpus: devices },
  };
  return fillDefaults(document, { name });
}

/** One program for every pair of lengths that was recorded. */
export function masksOfTrace({ grid, contexts, targets, lengths }: Trace): MaskPlan {
  const batches = lengths.flat();
  const keyOf = ({ contextTokens, targetTokens }: (typeof batches)[number]): string =>
    `${contextTokens} ${targetTokens}`;
  const pairs = new Map(batches.map((pair) => [keyOf(pair), pair] as const));
  return {
    strategy: "multiblock",
    gridHeight: grid,
    gridWidth: grid,
    sampler: "reference",
    targetCount: targets,
    contextCount: contexts,
    minKeep: 0,
    allowOverlap: true,
    sizes: [],
    contextSizes: [],
    programs: [...pairs].map(([key, pair]) => ({
      ...pair,
      probability: batches.filter((batch) => keyOf(batch) === key).length / batches.length,
    })),
  };
}
