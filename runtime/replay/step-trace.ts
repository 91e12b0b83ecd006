/** A recorded step as a trace: the tensors of tests/golden/official, and besides them the targets and moments before it. */
import { writeFile } from "node:fs/promises";
import { type OfficialTensor, officialTensors, toOfficial } from "../checkpoint/official";
import { type TensorToWrite, writeSafetensors } from "../checkpoint/safetensors";
import type { Experiment, IJepaExperiment } from "../experiment";
import type { PreparedMicroBatch } from "../loop/train-loop";
import type { Lengths } from "../step/lengths";
import type { ReplayProgram } from "./follow";
import type { LossName, ObservedStep, Pass, State } from "./observed-step";
import { weightTensors } from "./recorded";
import type { RecordedHow, RecordRequest } from "./recording";
import { gradientAt, meanOf, type Outputs } from "./results";
import { batchName } from "./trace";

/** Outputs of an observer, by their names in a trace. */
const forward = {
  "fwd.target_ln": "allTargets",
  "fwd.target_masked": "targets",
  "fwd.context": "context",
  "fwd.pred": "predictor",
} as const;

const lossNames = {
  smoothL1: { ofForward: "fwd.loss_smooth_l1", ofRun: "seq.loss_smooth_l1" },
  mse: { ofForward: "fwd.loss_mse", ofRun: "seq.loss_mse" },
} as const;

/** A result of the step, as it is and from weights that were moved by rounding. */
interface Result {
  readonly name: string;
  readonly shape: readonly number[];
  readonly of: (pass: Pass) => Float32Array | Float64Array;
  /** What rounding moves; left out, that of `of`. */
  readonly noiseOf?: (pass: Pass) => Float32Array;
}

export async function writeStepTrace(what: {
  readonly program: ReplayProgram;
  readonly request: RecordRequest;
  readonly observed: ObservedStep;
  readonly how: RecordedHow;
}): Promise<void> {
  const { program, request, observed, how } = what;
  const { experiment, parameters } = program;
  const spec: { readonly loss?: unknown } = JSON.parse(request.spec);
  const loss: LossName = spec.loss === "mse" ? "mse" : "smoothL1";
  const results = resultsOf(program, observed, loss);
  const tensors: TensorToWrite[] = [
    ...officialTensors(parameters).map((tensor) => ({
      ...f32(`init.${tensor.name}`, tensor.shape),
      values: () => official(tensor, observed.before),
    })),
    ...observed.prepared.microBatches.flatMap((microBatch, i) =>
      batchTensors(ofIJepa(experiment), { microBatch, images: observed.images[i] ?? new Uint8Array() }, (rest) =>
        batchName({ namesRanks: isDivided(observed) }, i, 0, rest),
      ),
    ),
    ...(["learningRate", "weightDecay", "momentum"] as const).map((value, i) => ({
      ...{ name: `seq.${["lr", "wd", "momentum"][i]}`, dtype: "F64" as const, shape: [1] },
      values: () => Float64Array.of(observed.prepared.schedule[value] ?? Number.NaN),
    })),
    ...results.map(({ name, shape, of }): TensorToWrite => {
      const values = of(observed);
      return { name, dtype: values instanceof Float64Array ? "F64" : "F32", shape, values: () => values };
    }),
  ];
  await writeSafetensors(request.out, { metadata: {}, tensors });
  const { image, encoder, predictor, masks, optimizer } = ofIJepa(experiment);
  const facts = {
    recorded: how,
    config: {
      name: `${experiment.name}, step ${how.step}`,
      ...{ crop: image.width, patch: image.patch, dim: encoder.dim, depth: encoder.depth, heads: encoder.heads },
      ...{ pdim: predictor.dim, pdepth: predictor.depth, B: optimizer.deviceBatch },
      mask: { nenc: masks.contextCount, npred: masks.targetCount },
    },
    steps: 1,
    world_size: observed.images.length,
    steps_before: how.step - 1,
    spec,
    float32_vs_float64: Object.fromEntries(
      results.map(({ name, of, noiseOf = of }) => [
        name,
        { max_abs_diff: largestDifference(noiseOf(observed), noiseOf(observed.shaken)) },
      ]),
    ),
  };
  await writeFile(request.out.replace(/\.safetensors$/, "").concat(".json"), `${JSON.stringify(facts, null, 1)}\n`);
}

const f32 = (name: string, shape: readonly number[]) => ({ name, dtype: "F32", shape }) as const;
/** tools/replay/step.ts lets no other through. */
function ofIJepa(experiment: Experiment): IJepaExperiment {
  if ("predictor" in experiment) return experiment;
  throw new Error(`internal: steps of ${experiment.objective} are not recorded`);
}

const isDivided = ({ images }: ObservedStep): boolean => images.length > 1;

function official({ statePath, parameter }: OfficialTensor, state: State): Float32Array {
  const values = state.get(statePath);
  if (values === undefined) throw new Error(`internal: the state has no ${statePath}`);
  return toOfficial(parameter, values);
}

function resultsOf({ experiment, parameters }: ReplayProgram, observed: ObservedStep, loss: LossName): Result[] {
  const { encoder, masks, image, optimizer } = ofIJepa(experiment);
  const trained = weightTensors(parameters, { averages: true }).filter(
    ({ name }) => !name.startsWith("target_encoder."),
  );
  const lengths = observed.prepared.microBatches[0]?.lengths;
  if (lengths === undefined) throw new Error("internal: a step without a micro-batch");
  const rows = optimizer.deviceBatch * masks.contextCount * masks.targetCount;
  const shapes: Readonly<Record<keyof typeof forward, readonly number[]>> = {
    "fwd.target_ln": [optimizer.deviceBatch, image.gridHeight * image.gridWidth, encoder.dim],
    "fwd.target_masked": [rows, lengths.T, encoder.dim],
    "fwd.context": [optimizer.deviceBatch * masks.contextCount, lengths.C, encoder.dim],
    "fwd.pred": [rows, lengths.T, encoder.dim],
  };
  const first = (pass: Pass, name: LossName, path: string): Float32Array => floats(pass.observed[name][0], path);
  const passes = Object.entries(forward).map(([name, path]): Result => {
    const shape = shapes[name as keyof typeof forward]; // the keys of the same table
    return { name, shape, of: (pass) => first(pass, loss, path) };
  });
  // The format has one batch's, and those of the paper's targets.
  const fits = passes.every(
    ({ shape, of }) => of(observed).length === shape.reduce((product, size) => product * size, 1),
  );
  const losses = (Object.keys(lossNames) as LossName[]).map(
    (name): Result => ({ name: lossNames[name].ofForward, shape: [], of: (pass) => first(pass, name, "loss") }),
  );
  const ofRun = isDivided(observed) ? "seq.loss_allreduced" : lossNames[loss].ofRun;
  return [
    ...(fits && !isDivided(observed) ? [...passes, ...losses] : []),
    ...trained.map(
      ({ name, shape, parameter }): Result => ({
        ...{ name: `grad.${name}`, shape },
        of: ({ observed: { [loss]: own } }) =>
          toOfficial(parameter, meanOf(own.map((one) => gradientAt(one, parameter.path)))),
      }),
    ),
    ...weightTensors(parameters, { averages: true }).map(
      (tensor): Result => ({
        ...{ name: `after1.${tensor.name}`, shape: tensor.shape },
        of: ({ after }) => official(tensor, after),
        // Of the update alone: the weights themselves were moved on purpose.
        noiseOf: ({ before, after }) => {
          const was = official(tensor, before);
          return official(tensor, after).map((value, i) => value - (was[i] ?? 0));
        },
      }),
    ),
    { name: ofRun, shape: [1], of: (pass) => Float64Array.of(pass.loss) },
  ];
}

function floats(outputs: Outputs | undefined, path: string): Float32Array {
  const values = outputs?.get(path);
  if (values instanceof Float32Array) return values;
  throw new Error(`internal: the observer has no output ${path}`);
}

function batchTensors(
  { image, masks, optimizer }: IJepaExperiment,
  { microBatch, images }: { readonly microBatch: PreparedMicroBatch; readonly images: Uint8Array },
  nameOf: (rest: string) => string,
): readonly TensorToWrite[] {
  const { deviceBatch: count } = optimizer;
  const { C, T }: Lengths = microBatch.lengths;
  const [batch] = microBatch.batches;
  if (batch === undefined) throw new Error("internal: a micro-batch without masks");
  const masksOf = (name: string, length: number, values: () => Int32Array): TensorToWrite => ({
    ...{ name: nameOf(name), dtype: "I32", shape: [count, length] },
    values,
  });
  const context = asIndices(batch.contextIndex);
  const target = asIndices(batch.targetIndex);
  return [
    { ...f32(nameOf("images"), [count, 3, image.height, image.width]), values: () => normalized(images, image) },
    ...Array.from({ length: masks.contextCount }, (_, j) =>
      masksOf(`mask_enc.${j}`, C, () => context.slice(j * count * C, (j + 1) * count * C)),
    ),
    ...Array.from({ length: masks.targetCount }, (_, j) =>
      masksOf(`mask_pred.${j}`, T, () => {
        const own = new Int32Array(count * T);
        for (let b = 0; b < count; b++) {
          const from = (b * masks.targetCount + j) * T;
          own.set(target.subarray(from, from + T), b * T);
        }
        return own;
      }),
    ),
  ];
}

function asIndices(values: object | undefined): Int32Array {
  if (values instanceof Int32Array) return values;
  throw new Error("internal: a mask of other numbers than int32");
}

/** (x / 255 − mean) / std in float32, in that order, as normalizePixels. */
function normalized(bytes: Uint8Array, { height, width, mean, std }: Experiment["image"]): Float32Array {
  const out = new Float32Array(bytes.length);
  const plane = height * width;
  const { fround } = Math;
  for (let i = 0; i < out.length; i++) {
    const channel = Math.floor(i / plane) % 3;
    const value = fround((bytes[i] ?? 0) / 255);
    out[i] = fround(fround(value - fround(mean[channel] ?? 0)) / fround(std[channel] ?? 1));
  }
  return out;
}

/** Null, which JSON has, where a number is none. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return Number.isFinite(most) ? most : null;
}
