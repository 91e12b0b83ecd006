/** What a recorded run hands to the generated step: weights, batches, and the values of the schedules. */
import { fromOfficial, officialTensors } from "../checkpoint/official";
import type { SafetensorsFile, StoredTensor } from "../checkpoint/safetensors";
import type { HostArray } from "../engines/engine";
import { traceNotUnderstood } from "../errors";
import type { Experiment, Parameter } from "../experiment";
import { dropPathFactors } from "../loop/drop-path";
import { objectives } from "../objectives";
import { type Lengths, lengthsOf } from "../step/lengths";
import type { BatchTree } from "../step/trees";
import { batchName, type Trace } from "./trace";

/** The values of a float tensor whose shape was checked. */
export async function floatsOf(file: SafetensorsFile, name: string): Promise<Float32Array | Float64Array> {
  const { values } = await file.read(name);
  if (values instanceof Float32Array || values instanceof Float64Array) return values;
  throw new Error(`internal: ${name} was not checked to hold floats`);
}

function finite(trace: Trace, name: string, values: Float32Array | Float64Array): Float32Array {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw traceNotUnderstood({ path: trace.path, why: `${name} holds ${values[bad]} at element ${bad}` });
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/**
 * The state before the first step by path: weights; the target encoder, where it is not recorded as a copy of the encoder; the
 * moments of AdamW, where they are recorded.
 */
export async function* initialState(
  trace: Trace,
  parameters: readonly Parameter[],
): AsyncGenerator<readonly [statePath: string, values: Float32Array]> {
  const has = (name: string): boolean => trace.weights.header.tensors.has(name);
  for (const { name, statePath, parameter } of officialTensors(parameters, trace.averages)) {
    const own = `init.${name}`;
    if (name.startsWith("opt.") && !has(own)) continue;
    const from = has(own) ? own : `init.${name.replace(/^target_encoder\./, "encoder.")}`;
    yield [statePath, fromOfficial(parameter, finite(trace, from, await floatsOf(trace.weights, from)))];
  }
}

export interface RecordedBatch {
  readonly batch: BatchTree<HostArray> & object;
  readonly lengths: Lengths;
}

/** The batch of one rank in one step, as the step takes it. */
export async function batchOf(
  trace: Trace,
  experiment: Experiment,
  rank: number,
  step: number,
): Promise<RecordedBatch> {
  const { contexts, targets, images, sets, config, grid } = trace;
  const rows = sets * images;
  const { masks: leaves } = objectives[config.objective];
  const pair = trace.lengths[step]?.[rank];
  if (pair === undefined) throw new Error(`internal: the trace has no step ${step} of rank ${rank}`);
  const { contextTokens: C, targetTokens: T } = pair;
  const imagesName = batchName(trace, rank, step, "images");
  const pixels = finite(trace, imagesName, await floatsOf(trace.file, imagesName));
  const masks = async (kind: "enc" | "pred", count: number): Promise<readonly StoredTensor[]> => {
    const found: StoredTensor[] = [];
    for (let j = 0; j < count; j++) found.push(await maskOf(trace, batchName(trace, rank, step, `mask_${kind}.${j}`)));
    return found;
  };
  const context = new Int32Array(contexts * rows * C);
  (await masks("enc", contexts)).forEach(({ values }, j) => {
    context.set(indicesOf(values), j * rows * C);
  });
  const target = new Int32Array(rows * targets * T);
  (await masks("pred", targets)).forEach(({ values }, j) => {
    const indices = indicesOf(values);
    for (let b = 0; b < rows; b++) target.set(indices.subarray(b * T, (b + 1) * T), (b * targets + j) * T);
  });
  const { seed, dropPath: rate, encoder, optimizer } = experiment;
  const dropPath = dropPathFactors({
    ...{ seed, rate, images, contexts, sets, depth: encoder.depth, globalBatch: optimizer.globalBatch },
    step: trace.stepsBefore + step,
    firstImage: rank * images,
  });
  return {
    batch: {
      ...(dropPath === undefined ? {} : { dropPath }),
      images: cropped(pixels, { planes: images * 3, size: config.crop, kept: grid * experiment.image.patch }),
      [leaves.seen.leaf]: context,
      [leaves.predicted.leaf]: target,
    },
    lengths: lengthsOf(pair, targets),
  };
}

async function maskOf(trace: Trace, name: string): Promise<StoredTensor> {
  const tensor = await trace.file.read(name);
  const patches = trace.grid * trace.grid;
  const indices = indicesOf(tensor.values);
  const bad = indices.findIndex((index) => index < 0 || index >= patches);
  if (bad >= 0) {
    const why = `${name} names patch ${indices[bad]}, but an image has patches 0 to ${patches - 1}`;
    throw traceNotUnderstood({ path: trace.path, why });
  }
  return tensor;
}

function indicesOf(values: StoredTensor["values"]): Int32Array {
  return values instanceof Int32Array ? values : Int32Array.from(values, Number);
}

/** The upper left `kept` × `kept` of square planes: a convolution over patches never reads the rest. */
function cropped(
  values: Float32Array,
  { planes, size, kept }: { readonly planes: number; readonly size: number; readonly kept: number },
): Float32Array {
  if (size === kept) return values;
  const out = new Float32Array(planes * kept * kept);
  for (let row = 0; row < planes * kept; row++) {
    const from = (Math.floor(row / kept) * size + (row % kept)) * size;
    out.set(values.subarray(from, from + kept), row * kept);
  }
  return out;
}
