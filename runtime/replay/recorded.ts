/** Which tensors a trace has to hold, and which it may hold to be compared with. */
import { type OfficialTensor, officialTensors } from "../checkpoint/official";
import type { SafetensorsFile } from "../checkpoint/safetensors";
import { traceIncomplete, traceNotUnderstood, traceUnfit } from "../errors";
import type { Experiment, Parameter, TrainerProgram } from "../experiment";
import { contextsOf } from "../masks/plan";
import { setsOf } from "../masks/sets";
import type { RecordedSizes } from "../objectives/recorded-form";
import type { Trace } from "./trace";

/** Weights and targets, not the moments of AdamW, which no trace holds. */
export function weightTensors(
  parameters: readonly Parameter[],
  { averages }: Pick<Trace, "averages">,
): readonly OfficialTensor[] {
  return officialTensors(parameters, averages).filter(({ name }) => !name.startsWith("opt."));
}

/** The sizes that the shapes of its values follow from, in a micro-batch with so many tokens. */
export const recordedSizes = (
  { image, encoder, masks, optimizer }: Experiment,
  of: {
    readonly contextTokens: number;
    readonly targetTokens: number;
    readonly classToken: boolean;
  },
): RecordedSizes => ({
  images: optimizer.deviceBatch,
  masked: setsOf(masks) * optimizer.deviceBatch,
  contexts: contextsOf(masks),
  targets: masks.targetCount,
  contextTokens: of.contextTokens,
  targetTokens: of.targetTokens,
  patches: image.gridHeight * image.gridWidth,
  values: image.channels * image.patch * image.patch,
  width: encoder.dim,
  classTokens: of.classToken ? 1 : 0,
});

interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What was recorded, and what of the format was not. */
export interface Recorded {
  readonly forward: boolean;
  readonly gradients: boolean;
  /** Names of the recorded losses of every step. */
  readonly losses: ReadonlySet<string>;
  readonly missing: readonly string[];
}

/**
 * Throws R160 where a weight is missing, or a part of a group of results that is there; R162 where a tensor has another
 * shape than the sizes of the model ask for. `alsoMse`: whether the mean squared error is recorded beside the loss.
 */
export function checkRecorded(
  trace: Trace,
  { experiment, objective, parameters }: Pick<TrainerProgram, "experiment" | "objective" | "parameters">,
  alsoMse: boolean,
): Recorded {
  const { path, file, weights: first, steps, ranks, lengths, recordedAfter } = trace;
  const has = ({ name }: Wanted): boolean => file.header.tensors.has(name);
  const checkIn = (from: SafetensorsFile, { name, shape }: Wanted): void => {
    const entry = from.header.tensors.get(name);
    if (entry === undefined) throw traceIncomplete({ path: from.path, tensor: name });
    const isFloat = ["F32", "F64", "F16", "BF16"].includes(entry.dtype);
    // Some writers keep a number as a list of one.
    const isOne = shape.length === 0 && entry.shape.length === 1 && entry.shape[0] === 1;
    const fits = entry.shape.length === shape.length && entry.shape.every((size, i) => size === shape[i]);
    if (isFloat && (fits || isOne)) return;
    const found = `${entry.dtype} [${entry.shape.join(", ")}]`;
    throw traceUnfit({ path: from.path, tensor: name, found, wanted: `F32 [${shape.join(", ")}]` });
  };
  const check = (wanted: Wanted): void => checkIn(file, wanted);
  /** All of them or none. */
  const isThere = (group: readonly Wanted[]): boolean => {
    if (!group.some(has)) return false;
    group.forEach(check);
    return true;
  };
  const weights = weightTensors(parameters, trace);
  const trained = weights.filter(({ name }) => !name.startsWith("target_encoder."));
  const positions = objective.positions(experiment);

  for (const { name, shape } of trained) checkIn(first, { name: `init.${name}`, shape });
  for (const prefix of ["init", ...recordedAfter.map((after) => `after${after}`)]) {
    for (const { name, shape } of positions) {
      const table = { name: `${prefix}.${name}`, shape };
      if (has(table)) check(table);
    }
  }

  const { contextTokens = 0, targetTokens = 0 } = lengths[0]?.[0] ?? {};
  const sizes = recordedSizes(experiment, { contextTokens, targetTokens, classToken: trace.classToken });
  const forward = isThere([
    ...objective.recorded.forward.map(({ tensor, shape }) => ({ name: tensor, shape: shape(sizes) })),
    ...(alsoMse ? [{ name: "fwd.loss_mse", shape: [] }] : []),
  ]);
  if (forward && ranks > 1) {
    throw traceNotUnderstood({ path, why: `it has fwd.* of one batch, but its steps have ${ranks} ranks` });
  }
  const gradients = isThere(trained.map(({ name, shape }) => ({ name: `grad.${name}`, shape })));
  for (const after of recordedAfter) {
    for (const { name, shape } of weights) check({ name: `after${after}.${name}`, shape });
  }
  const losses = [
    ...(ranks === 1
      ? [
          ...objective.recorded.losses.map((name) => ({ name, shape: [steps] })),
          ...(alsoMse ? [{ name: "seq.loss_mse", shape: [steps] }] : []),
        ]
      : []),
    ...(trace.namesRanks
      ? [
          { name: "seq.loss_local", shape: [steps, ranks] },
          { name: "seq.loss_allreduced", shape: [steps] },
        ]
      : []),
  ].filter(has);
  losses.forEach(check);
  if (!forward && !gradients && recordedAfter.length === 0 && losses.length === 0) {
    throw traceNotUnderstood({ path, why: "it records no result to compare with: no fwd.*, grad.*, after*.* or loss" });
  }
  return {
    forward,
    gradients,
    losses: new Set(losses.map(({ name }) => name)),
    missing: [
      ...(forward ? [] : ["fwd.* (targets, context features, predictions and losses of the first step)"]),
      ...(gradients ? [] : ["grad.* (gradients of the first step)"]),
      ...(recordedAfter.length > 0 ? [] : ["after{n}.* (weights and moving average)"]),
      ...(losses.length > 0 ? [] : ["seq.loss_* (the loss of every step)"]),
      ...(trace.config.schedule === null ? ["the settings of the schedules"] : []),
    ],
  };
}
