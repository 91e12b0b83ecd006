/**
 * The JSON beside a recorded run: what was trained, and how exactly its numbers are known. Only the fields that a replay
 * needs are read; every other one is left alone.
 */
import { traceNotUnderstood } from "../errors";
import { messageOf } from "../exceptions";
import type { ObjectiveName } from "../experiment";
import { objectives } from "../objectives";

/** Learning rate, weight decay and momentum of the recorded run, as the reference takes them (reference.md §6). */
export interface TraceSchedule {
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly stretch: number;
  readonly learningRate: { readonly start: number; readonly peak: number; readonly final: number };
  readonly weightDecay: { readonly start: number; readonly final: number };
  /** Null where nothing is averaged. */
  readonly momentum: { readonly start: number; readonly final: number } | null;
}

export interface TraceConfig {
  /** What was trained; left out: `ijepa`. */
  readonly objective: ObjectiveName;
  readonly crop: number;
  readonly patch: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  /** Of the second transformer; 0 where there is none. */
  readonly predictorDim: number;
  readonly predictorDepth: number;
  /** Those of the encoder where the config does not tell. */
  readonly predictorHeads: number;
  /** Whether targets that are pixels are normalized patch by patch. */
  readonly normalizesPixels: boolean;
  /** Weights of the terms of VICReg, or null where nothing regularizes. */
  readonly regularizer: { readonly weight: number; readonly variance: number; readonly covariance: number } | null;
  /** Blocks of the target encoder whose mean is predicted, and β of the smooth L1 loss; null for the default. */
  readonly targetBlocks: number | null;
  readonly lossBeta: number | null;
  /** AdamW's second decay, and what is added to its root; null for the default. */
  readonly beta2: number | null;
  readonly eps: number | null;
  /** Images of one rank; null where the config leaves it to the images. */
  readonly images: number | null;
  /** Sets of masks that each image has. */
  readonly sets: number | null;
  readonly contexts: number | null;
  readonly targets: number | null;
  /** Null where the config does not tell all of it: the recorded values are used, and not compared. */
  readonly schedule: TraceSchedule | null;
}

/** How far a tensor may be off: `tol` where it is stated, else the noise that the formula starts from. */
export interface StatedTolerance {
  readonly tolerance: number | null;
  readonly noise: number | null;
}

export interface TraceFacts {
  /** Name of the model and its data, which traces of one and of several ranks share. */
  readonly name: string | null;
  readonly config: TraceConfig;
  /**
   * The whole experiment as JSON, of a step that `ijepa replay-step` recorded; null of a run of the official code, whose
   * settings are those of the paper.
   */
  readonly spec: string | null;
  /** The loss that is trained on. */
  readonly loss: "smoothL1" | "mse";
  /** Optimizer steps that were done before the first one of the trace. */
  readonly stepsBefore: number;
  /** By the name of the tensor. */
  readonly tolerances: ReadonlyMap<string, StatedTolerance>;
  /** L2 norms of the gradients of the mean squared error, by the name of the weight; null where not recorded. */
  readonly mseGradientNorms: ReadonlyMap<string, number> | null;
  /** Ranks and steps that the JSON names, or null. */
  readonly ranks: number | null;
  readonly steps: number | null;
}

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** Throws UserError R161 where the text is no JSON or lacks a number. `path` names the file. */
export function parseTraceJson(path: string, text: string): TraceFacts {
  const fail = (why: string) => traceNotUnderstood({ path, why });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw fail(`it is not JSON (${messageOf(cause)})`);
  }
  if (!isRecord(parsed)) throw fail("it is not a JSON object");
  const { config } = parsed;
  if (!isRecord(config)) throw fail('it has no "config" with the sizes of the model');

  const count = (name: string): number => {
    const value = config[name];
    if (isNumber(value) && Number.isInteger(value) && value >= 1) return value;
    throw fail(`config.${name} is ${JSON.stringify(value) ?? "missing"}, not a whole number of 1 or more`);
  };
  const optionalCount = (holder: Json, name: string, where: string): number | null => {
    const value = holder[name];
    if (value === undefined || value === null) return null;
    if (isNumber(value) && Number.isInteger(value) && value >= 1) return value;
    throw fail(`${where}.${name} is ${JSON.stringify(value)}, not a whole number of 1 or more`);
  };
  const mask = isRecord(config.mask) ? config.mask : {};
  const objective = objectiveOf(config, fail);
  const [, beta2]: readonly unknown[] = Array.isArray(config.betas) ? config.betas : [];
  const hasSecond = objectives[objective].recorded.second !== null;
  const sizes = {
    crop: count("crop"),
    patch: count("patch"),
    dim: count("dim"),
    depth: count("depth"),
    heads: count("heads"),
    predictorDim: hasSecond ? count("pdim") : 0,
    predictorDepth: hasSecond ? count("pdepth") : 0,
  };
  const spec = isRecord(parsed.spec) ? parsed.spec : null;
  const predictorHeads = optionalCount(config, "pheads", "config") ?? sizes.heads;
  for (const [name, dim, heads] of [
    ["dim", sizes.dim, sizes.heads],
    ["pdim", sizes.predictorDim, predictorHeads],
  ] as const) {
    // A spec has its own rules, and may give the predictor other heads.
    if (spec === null && dim % heads !== 0) throw fail(`config.${name} = ${dim} cannot be split into ${heads} heads`);
    if (dim % 4 !== 0) throw fail(`config.${name} = ${dim} is no multiple of 4, which position embeddings need`);
  }
  if (sizes.patch > sizes.crop) throw fail(`config.patch = ${sizes.patch} is larger than config.crop = ${sizes.crop}`);
  return {
    name: typeof config.name === "string" ? config.name : null,
    spec: spec === null ? null : JSON.stringify(spec),
    loss: spec?.loss === "mse" ? "mse" : "smoothL1",
    stepsBefore: stepsBeforeOf(parsed.steps_before, fail),
    config: {
      objective,
      ...sizes,
      predictorHeads,
      normalizesPixels: config.norm_pix_loss === true,
      regularizer: regularizerOf(config, fail),
      targetBlocks: optionalCount(config, "target_blocks", "config"),
      lossBeta: isNumber(config.loss_beta) && config.loss_beta > 0 ? config.loss_beta : null,
      eps: isNumber(config.eps) && config.eps > 0 ? config.eps : null,
      beta2: isNumber(beta2) && beta2 >= 0 && beta2 < 1 ? beta2 : null,
      images: optionalCount(config, "B", "config"),
      sets: optionalCount(mask, "nsets", "config.mask"),
      contexts: optionalCount(mask, "nenc", "config.mask"),
      targets: optionalCount(mask, "npred", "config.mask"),
      schedule: scheduleOf(config, objectives[objective].judged.tree === "target"),
    },
    tolerances: tolerancesOf(parsed.float32_vs_float64, fail),
    mseGradientNorms: normsOf(parsed.grad_mse_l2),
    ranks: optionalCount(parsed, "world_size", "the file"),
    steps: optionalCount(parsed, "steps", "the file"),
  };
}

function stepsBeforeOf(value: unknown, fail: (why: string) => Error): number {
  if (value === undefined || value === null) return 0;
  if (isNumber(value) && Number.isSafeInteger(value) && value >= 0) return value;
  throw fail(`steps_before is ${JSON.stringify(value)}, not a whole number of 0 or more`);
}

function objectiveOf({ objective = "ijepa" }: Json, fail: (why: string) => Error): ObjectiveName {
  const known = Object.keys(objectives) as ObjectiveName[]; // the keys of a total table
  const found = known.find((name) => name === objective);
  if (found !== undefined) return found;
  throw fail(`config.objective is ${JSON.stringify(objective)}, not one of ${known.join(", ")}`);
}

function regularizerOf({ regularizer }: Json, fail: (why: string) => Error): TraceConfig["regularizer"] {
  if (regularizer === undefined) return null;
  const { weight, variance, covariance } = isRecord(regularizer) ? regularizer : {};
  if (isNumber(weight) && isNumber(variance) && isNumber(covariance)) return { weight, variance, covariance };
  throw fail("config.regularizer has no numbers weight, variance and covariance");
}

function scheduleOf(config: Json, averages: boolean): TraceSchedule | null {
  const { ipe, epochs, warmup, ipe_scale: stretch, start_lr, lr, final_lr, wd, final_wd, ema } = config;
  const [emaStart, emaEnd]: readonly unknown[] = Array.isArray(ema) ? ema : [];
  if (!isNumber(ipe) || !isNumber(epochs) || !isNumber(warmup) || !isNumber(stretch)) return null;
  if (!isNumber(start_lr) || !isNumber(lr) || !isNumber(final_lr) || !isNumber(wd) || !isNumber(final_wd)) return null;
  const momentum = isNumber(emaStart) && isNumber(emaEnd) ? { start: emaStart, final: emaEnd } : null;
  if (averages && momentum === null) return null;
  return {
    stepsPerEpoch: ipe,
    epochs,
    warmupEpochs: warmup,
    stretch,
    learningRate: { start: start_lr, peak: lr, final: final_lr },
    weightDecay: { start: wd, final: final_wd },
    momentum: averages ? momentum : null,
  };
}

function tolerancesOf(value: unknown, fail: (why: string) => Error): ReadonlyMap<string, StatedTolerance> {
  if (value === undefined || value === null) return new Map();
  if (!isRecord(value)) throw fail("float32_vs_float64 is not an object with one entry for each tensor");
  return new Map(
    Object.entries(value).map(([name, entry]) => {
      if (!isRecord(entry)) throw fail(`float32_vs_float64.${name} is not an object`);
      const { tol, max_abs_diff: noise } = entry;
      const state = (what: string, given: unknown): number | null => {
        if (given === undefined || given === null) return null;
        if (isNumber(given) && given >= 0) return given;
        throw fail(`float32_vs_float64.${name}.${what} is ${JSON.stringify(given)}, not a number of 0 or more`);
      };
      return [name, { tolerance: state("tol", tol), noise: state("max_abs_diff", noise) }];
    }),
  );
}

function normsOf(value: unknown): ReadonlyMap<string, number> | null {
  if (!isRecord(value)) return null;
  return new Map(Object.entries(value).flatMap(([name, norm]) => (isNumber(norm) ? [[name, norm] as const] : [])));
}
