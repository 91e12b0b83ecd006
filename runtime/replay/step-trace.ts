/** A recorded step as a trace: the tensors of tests/golden/official, and besides them the targets and moments before it. */
import { writeFile } from "node:fs/promises";
import { type OfficialTensor, officialTensors, toOfficial } from "../checkpoint/official";
import { type TensorToWrite, writeSafetensors } from "../checkpoint/safetensors";
import { averages } from "../loop/state";
import { contextsOf } from "../masks/plan";
import { setsOf } from "../masks/sets";
import { batchTensors } from "./batch-tensors";
import type { ReplayProgram } from "./follow";
import type { LossName, ObservedStep, Pass, State } from "./observed-step";
import { recordedSizes, weightTensors } from "./recorded";
import type { RecordedHow, RecordRequest } from "./recording";
import { gradientAt, meanOf, type Outputs } from "./results";
import { batchName } from "./trace";

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
  const { experiment, objective, parameters } = program;
  const spec: { readonly loss?: unknown } = JSON.parse(request.spec);
  // What an objective calls its own loss; I-JEPA may be trained on another one than that of the paper.
  const loss: LossName = spec.loss === "mse" ? "mse" : "own";
  const results = resultsOf(program, observed, loss);
  const { learningRate, weightDecay, momentum } = observed.prepared.schedule;
  const tensors: TensorToWrite[] = [
    ...officialTensors(parameters, averages(program)).map((tensor) => ({
      ...f32(`init.${tensor.name}`, tensor.shape),
      values: () => official(tensor, observed.before),
    })),
    ...observed.prepared.microBatches.flatMap((microBatch, i) =>
      batchTensors(program, { microBatch, images: observed.images[i] ?? new Uint8Array() }, (rest) =>
        batchName({ namesRanks: isDivided(observed) }, i, 0, rest),
      ),
    ),
    ...Object.entries({ lr: learningRate, wd: weightDecay, ...(averages(program) && { momentum }) }).map(
      ([name, value]) => ({
        ...{ name: `seq.${name}`, dtype: "F64" as const, shape: [1] },
        values: () => Float64Array.of(value ?? Number.NaN),
      }),
    ),
    ...results.map(({ name, shape, of }): TensorToWrite => {
      const values = of(observed);
      return { name, dtype: values instanceof Float64Array ? "F64" : "F32", shape, values: () => values };
    }),
  ];
  await writeSafetensors(request.out, { metadata: {}, tensors });
  const { image, encoder, masks, optimizer } = experiment;
  const second = objective.second(experiment);
  const facts = {
    recorded: how,
    config: {
      name: `${experiment.name}, step ${how.step}`,
      objective: experiment.objective,
      ...{ crop: image.width, patch: image.patch, dim: encoder.dim, depth: encoder.depth, heads: encoder.heads },
      ...(second !== null && { pdim: second.dim, pdepth: second.depth, pheads: second.heads }),
      B: optimizer.deviceBatch,
      mask: { nenc: contextsOf(masks), npred: masks.targetCount, nsets: setsOf(masks) },
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

const isDivided = ({ images }: ObservedStep): boolean => images.length > 1;

function official({ statePath, parameter }: OfficialTensor, state: State): Float32Array {
  const values = state.get(statePath);
  if (values === undefined) throw new Error(`internal: the state has no ${statePath}`);
  return toOfficial(parameter, values);
}

function resultsOf(program: ReplayProgram, observed: ObservedStep, loss: LossName): Result[] {
  const { experiment, objective, observers, parameters } = program;
  const { forward, losses: runLosses } = objective.recorded;
  const weights = weightTensors(parameters, { averages: averages(program) });
  const trained = weights.filter(({ name }) => !name.startsWith("target_encoder."));
  const lengths = observed.prepared.microBatches[0]?.lengths;
  if (lengths === undefined) throw new Error("internal: a step without a micro-batch");
  const sizes = recordedSizes(experiment, {
    contextTokens: lengths.C,
    targetTokens: lengths.T,
    classToken: trained.some(({ name }) => name === "encoder.cls_token"),
  });
  const first = (pass: Pass, name: LossName, path: string): Float32Array => floats(pass.observed[name][0], path);
  const passes = [
    ...forward.map(
      ({ tensor, output, shape }): Result => ({
        ...{ name: tensor, shape: shape(sizes) },
        of: (pass) => first(pass, "own", output),
      }),
    ),
    ...(observers.mse === null
      ? []
      : [{ name: "fwd.loss_mse", shape: [], of: (pass: Pass) => first(pass, "mse", "loss") }]),
  ];
  // The format has one batch's, and those of the paper's targets.
  const fits = passes.every(
    ({ shape, of }) => of(observed).length === shape.reduce((product, size) => product * size, 1),
  );
  const ofRun = isDivided(observed) ? "seq.loss_allreduced" : loss === "mse" ? "seq.loss_mse" : (runLosses[0] ?? "");
  return [
    ...(fits && !isDivided(observed) ? passes : []),
    ...trained.map(
      ({ name, shape, parameter }): Result => ({
        ...{ name: `grad.${name}`, shape },
        of: ({ observed: { [loss]: own } }) =>
          toOfficial(parameter, meanOf(own.map((one) => gradientAt(one, parameter.path)))),
      }),
    ),
    ...weights.map(
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

/** Null, which JSON has, where a number is none. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return Number.isFinite(most) ? most : null;
}
