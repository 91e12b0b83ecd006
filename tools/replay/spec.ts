/** The experiment of a recorded run. Its masks are recorded, so no rule about masks, data or probes applies to it. */

import { oneLine } from "../../compiler/diagnostics/diagnostic";
import { fillDefaults } from "../../compiler/spec/defaults";
import type { JsonObject } from "../../compiler/spec/json";
import { specFromText } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import { traceNotUnderstood } from "../../runtime/errors";
import type { MaskPlan } from "../../runtime/experiment";
import type { Trace } from "../../runtime/replay/trace";

/** A ratio whose product with `dim`, rounded down, is `hidden`. */
const ratioOf = (hidden: number, dim: number): number => (hidden + 0.5) / dim;

/** The ranks of a trace are divided among the devices; those of one are micro-batches, whose mean gradient is theirs. */
export function specOfTrace(trace: Trace, devices = 1): Spec {
  return trace.spec === null ? specOfSizes(trace, devices) : ownSpec(trace, trace.spec, devices);
}

/** What `ijepa replay-step` recorded says all of its experiment; the file may come from anywhere, so all is checked. */
function ownSpec({ path, ranks, images }: Trace, text: string, devices: number): Spec {
  const loaded = specFromText({ text, file: path });
  if (!loaded.ok) {
    const [first] = loaded.diagnostics;
    throw traceNotUnderstood({
      path,
      why: `its spec is wrong: ${first === undefined ? "" : oneLine({ ...first, file: null })}`,
    });
  }
  const spec = onOneDevice(loaded.spec, ranks / devices, devices);
  if (spec.optimization.globalBatch === ranks * images) return spec;
  const why = `its spec has batches of ${spec.optimization.globalBatch} images, its tensors ${ranks * images}`;
  throw traceNotUnderstood({ path, why });
}

/** On the processor, with the gradient as the mean of so many micro-batches: the same training up to rounding. */
export function onOneDevice(spec: Spec, accumulation: number, gpus = 1): Spec {
  return {
    ...spec,
    optimization: { ...spec.optimization, accumulation },
    hardware: { ...spec.hardware, engine: "onnx", device: "cpu", precision: "fp32", gpus, shardOptimizer: false },
  };
}

function specOfSizes(
  { title: name, config, grid, images, ranks, hidden, predictorHidden }: Trace,
  devices: number,
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
