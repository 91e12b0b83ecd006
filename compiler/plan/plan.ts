/** From a spec to a plan: every number decided. After this stage nobody reads the spec. */
import type { Precision } from "../../runtime/engines/engine";
import type { DataPlan, Experiment } from "../../runtime/experiment";
import type { OperandFormat } from "../../runtime/ops/ops";
import { lengthsOf } from "../../runtime/step/lengths";
import type { Sizes } from "../ir/number";
import { type ModelNumbers, objectiveOf } from "../objectives";
import { trainingHash } from "../spec/load";
import { deviceBatchOf } from "../spec/mask-settings";
import { hiddenWidth } from "../spec/presets";
import type { Spec } from "../spec/spec";
import { mostProbable } from "./programs";
import { schedulePlan, stepsPerEpochOf } from "./schedule";

/** How initial weights are drawn (reference.md §3). */
export interface InitPlan {
  readonly std: number;
  readonly patchStd: number;
  readonly depthRescale: boolean;
}

export interface Plan {
  readonly description: string;
  readonly experiment: Experiment;
  readonly model: ModelNumbers;
  readonly init: InitPlan;
  /** Largest norm of the gradient, or null. */
  readonly clipNorm: number | null;
  /** Sizes of the axes that vary, in the most probable program. */
  readonly sizes: Sizes;
}

function dataPlan({ data }: Spec): DataPlan {
  if (data.source === "shapes") {
    const { trainImages, validationImages, testImages, sceneSize, difficulty, seed } = data;
    return { kind: "shapes", trainImages, validationImages, testImages, sceneSize, difficulty, seed };
  }
  const read = {
    trainPath: data.train,
    validationPath: data.validation,
    trainImages: data.images,
    holdOut: data.holdOut,
    labels: data.labels,
    maxBadShare: data.maxBadShare,
    exifRotation: data.exifRotation,
  };
  switch (data.source) {
    case "folder":
      return { kind: "folder", ...read };
    case "webdataset":
      return { kind: "webdataset", ...read, shuffleBuffer: data.shuffleBuffer };
    case "parquet": {
      const { shuffleBuffer, imageColumn, labelColumn } = data;
      return { kind: "parquet", ...read, shuffleBuffer, imageColumn, labelColumn };
    }
  }
}

/** In which number format products take their operands. fp16 is refused by a rule: hardware-rules.ts. */
const operandFormats: { readonly [P in Precision]: OperandFormat } = { fp32: "f32", bf16: "bf16", fp16: "f32" };

export interface PlanInput {
  readonly spec: Spec;
  /** sha256 of the canonical spec. */
  readonly specHash: string;
  readonly generatorVersion: string;
  /** What the step is handed of images; left out: bytes. A recorded run brings pixels that are normalized. */
  readonly pixels?: ModelNumbers["pixels"];
  /** Fields that the command line changed, each `a.b.c=value`. */
  readonly settings?: readonly string[];
  /** In place of the masks that follow from the spec: a recorded run brings its own. */
  readonly masks?: Experiment["masks"];
}

export function buildPlan(input: PlanInput): Plan {
  const { spec, specHash, generatorVersion, pixels = "u8", masks: given, settings = [] } = input;
  const { image, encoder, optimization, augmentation, evaluation, checkpoint, log, hardware } = spec;
  const side = image.size / encoder.patch;
  const deviceBatch = deviceBatchOf(spec);
  const data = dataPlan(spec);
  const own = objectiveOf(spec.objective).plan(spec, given);
  const { masks } = own.constants;
  const encoderNetwork = {
    dim: encoder.dim,
    depth: encoder.depth,
    heads: encoder.heads,
    hidden: hiddenWidth(encoder),
  };
  const scheduleSettings = {
    trainImages: data.trainImages,
    globalBatch: optimization.globalBatch,
    epochs: optimization.epochs,
    warmupEpochs: optimization.learningRate.warmupEpochs,
    stretch: optimization.scheduleScale,
    learningRate: optimization.learningRate,
    weightDecay: optimization.weightDecay,
    ...("momentum" in optimization && { momentum: optimization.momentum }),
    devices: hardware.gpus,
  };
  const { beta1, beta2, eps } = optimization.adamw;
  // Its place in what is written; the constants of the objective say it with its type.
  const objective = { objective: spec.objective };
  const experiment: Experiment = {
    name: spec.name,
    generatorVersion,
    specHash,
    trainingHash: trainingHash(spec),
    ...(settings.length > 0 && { settings }),
    seed: spec.seed,
    ...objective,
    image: {
      height: image.size,
      width: image.size,
      channels: 3,
      patch: encoder.patch,
      gridHeight: side,
      gridWidth: side,
      mean: image.mean,
      std: image.std,
    },
    augmentation,
    data,
    encoder: encoderNetwork,
    ...own.constants,
    schedule: schedulePlan(scheduleSettings),
    optimizer: {
      beta1,
      beta2,
      eps,
      epochs: optimization.epochs,
      stepsPerEpoch: stepsPerEpochOf(scheduleSettings),
      globalBatch: optimization.globalBatch,
      accumulation: optimization.accumulation,
      deviceBatch,
      skipNonFinite: optimization.skipNonFinite,
    },
    dropPath: encoder.dropPath,
    positionScale: spec.init.positionScale,
    evaluation: {
      everyEpochs: evaluation.everyEpochs,
      knnNeighbours: evaluation.knn.neighbours,
      knnTemperature: evaluation.knn.temperature,
      trainImages: evaluation.trainImages,
      testImages: evaluation.testImages,
    },
    log: {
      logEverySteps: log.everySteps,
      checkpointEveryEpochs: checkpoint.everyEpochs,
      keepEveryEpochs: checkpoint.keepEveryEpochs,
      keepLast: checkpoint.keepLast,
      keepBestMetric: checkpoint.keepBest.metric,
      tensorboard: log.tensorboard,
      mlflow: log.mlflow,
      trackio: log.trackio,
    },
    hardware: {
      engine: hardware.engine,
      device: hardware.device,
      gpus: hardware.gpus,
      shardOptimizer: hardware.shardOptimizer,
      reduceBucketMiB: hardware.reduceBucketMiB,
      precision: hardware.precision,
      threads: hardware.threads,
      workers: hardware.workers,
    },
    runDirectory: `runs/${spec.name}`,
  };
  return {
    description: spec.description,
    experiment,
    model: {
      imageHeight: image.size,
      imageWidth: image.size,
      patch: encoder.patch,
      tokens: side * side,
      pixels,
      images: deviceBatch,
      encoder: encoderNetwork,
      operands: operandFormats[hardware.precision],
      dropPath: encoder.dropPath > 0,
      classToken: "classToken" in encoder && encoder.classToken,
      ...own.numbers,
    },
    init: { std: spec.init.std, patchStd: spec.init.patchStd, depthRescale: spec.init.depthRescale },
    clipNorm: optimization.clipNorm,
    sizes: lengthsOf(mostProbable(masks), masks.targetCount),
  };
}
