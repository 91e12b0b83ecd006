/** The experiment of a recorded run. Its masks are recorded, so no rule about masks, data or probes applies to it. */

import { oneLine } from "../../compiler/diagnostics/diagnostic";
import { objectiveOf } from "../../compiler/objectives";
import { ratioOf } from "../../compiler/objectives/recorded";
import { fillDefaults } from "../../compiler/spec/defaults";
import { isObject, type JsonObject } from "../../compiler/spec/json";
import { specFromText } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import { traceNotUnderstood } from "../../runtime/errors";
import type { Trace } from "../../runtime/replay/trace";

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
  } as Spec;
}

function specOfSizes(trace: Trace, devices: number): Spec {
  const { title: name, config, grid, images, ranks, hidden } = trace;
  const { schedule } = config;
  const own = objectiveOf(config.objective).recorded.fields(trace);
  const group = (field: string): JsonObject => {
    const value = own[field];
    return isObject(value) ? value : {};
  };
  const document: JsonObject = {
    ...own,
    objective: config.objective,
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
      ...group("encoder"),
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
        ...(schedule.momentum !== null && { momentum: { ...schedule.momentum } }),
      }),
      ...group("optimization"),
    },
    hardware: { gpus: devices },
  };
  return fillDefaults(document, { name });
}
