/** A tiny experiment for tests of the trainer: 4×4 patches, two of width 8, ten steps in two epochs. */
import type { IJepaExperiment, Parameter } from "../../../runtime/experiment";
import { noLoggerSettings } from "../../support/no-loggers";

export const tinyExperiment: IJepaExperiment = {
  name: "tiny",
  generatorVersion: "0.1.0",
  specHash: "0123456789abcdef",
  trainingHash: "fedcba9876543210",
  seed: 7,
  objective: "ijepa",
  image: {
    height: 16,
    width: 16,
    channels: 3,
    patch: 4,
    gridHeight: 4,
    gridWidth: 4,
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
  },
  augmentation: { cropScale: [0.3, 1], cropAspect: [0.75, 4 / 3], horizontalFlip: false },
  data: {
    kind: "shapes",
    trainImages: 20,
    validationImages: 8,
    testImages: 8,
    sceneSize: 16,
    difficulty: 0,
    seed: 1,
  },
  encoder: { dim: 8, depth: 2, heads: 2, hidden: 16 },
  predictor: { dim: 8, depth: 1, heads: 2, hidden: 16 },
  masks: {
    strategy: "multiblock",
    gridHeight: 4,
    gridWidth: 4,
    sampler: "unbiased",
    targetCount: 2,
    contextCount: 1,
    minKeep: 1,
    allowOverlap: false,
    sizes: [{ height: 2, width: 2, probability: 1, contextTokens: 4, program: 0 }],
    contextSizes: [{ height: 4, width: 4, probability: 1 }],
    programs: [{ contextTokens: 4, targetTokens: 4, probability: 1 }],
  },
  targetsMaskedAt: "output",
  schedule: {
    steps: 10,
    curveSteps: 10,
    warmupSteps: 2,
    lrStart: 1e-4,
    lrPeak: 1e-3,
    lrFinal: 1e-6,
    weightDecayStart: 0.04,
    weightDecayFinal: 0.4,
    momentumStart: 0.996,
    momentumFinal: 1,
    momentumSteps: 10,
  },
  optimizer: {
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    epochs: 2,
    stepsPerEpoch: 5,
    globalBatch: 4,
    accumulation: 2,
    deviceBatch: 2,
    skipNonFinite: 0,
  },
  dropPath: 0.2,
  positionScale: 1,
  evaluation: { everyEpochs: 1, knnNeighbours: 3, knnTemperature: 0.07, trainImages: 8, testImages: 8 },
  log: {
    logEverySteps: 2,
    checkpointEveryEpochs: 1,
    keepEveryEpochs: 0,
    keepLast: 1,
    keepBestMetric: null,
    ...noLoggerSettings,
  },
  hardware: {
    engine: "onnx",
    device: "cpu",
    gpus: 1,
    shardOptimizer: false,
    reduceBucketMiB: 25,
    precision: "fp32",
    threads: 1,
    workers: 1,
  },
  runDirectory: "runs/tiny",
};

function parameter(path: string, officialName: string, shape: readonly number[]): Parameter {
  const isMatrix = shape.length > 1;
  const init = isMatrix ? ({ kind: "normal", std: 0.02 } as const) : ({ kind: "zeros" } as const);
  return { path, shape, officialName, officialShape: [...shape].reverse(), transposed: isMatrix, init };
}

/** A few of the weights are enough: the fake engine treats all alike. */
export const tinyParameters: readonly Parameter[] = [
  parameter("encoder.norm.weight", "norm.weight", [8]),
  parameter("encoder.blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc1.weight", [8, 16]),
  parameter("predictor.predictorProj.weight", "predictor_proj.weight", [8, 8]),
];
