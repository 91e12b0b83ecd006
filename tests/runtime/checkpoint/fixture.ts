/** A run small enough for a table, with every kind of parameter: transposed or not, of one to four dimensions. */
import type { IJepaExperiment, Parameter } from "../../../runtime/experiment";
import { objectives } from "../../../runtime/objectives";
import { noLoggerSettings } from "../../support/no-loggers";

export const experiment: IJepaExperiment = {
  name: "tiny",
  generatorVersion: "0.1.0",
  specHash: "a".repeat(64),
  trainingHash: "fedcba9876543210",
  seed: 7,
  objective: "ijepa",
  image: {
    height: 8,
    width: 8,
    channels: 3,
    patch: 4,
    gridHeight: 2,
    gridWidth: 2,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  augmentation: { cropScale: [0.3, 1], cropAspect: [0.75, 4 / 3], horizontalFlip: true },
  data: {
    kind: "folder",
    trainPath: "data/train",
    validationPath: null,
    trainImages: 64,
    holdOut: 0,
    labels: false,
    maxBadShare: 0.01,
    exifRotation: false,
  },
  encoder: { dim: 8, depth: 1, heads: 2, hidden: 32 },
  predictor: { dim: 4, depth: 1, heads: 2, hidden: 16 },
  masks: {
    strategy: "multiblock",
    gridHeight: 2,
    gridWidth: 2,
    sampler: "reference",
    targetCount: 1,
    contextCount: 1,
    minKeep: 0,
    allowOverlap: false,
    sizes: [{ height: 1, width: 1, probability: 1, contextTokens: 3, program: 0 }],
    contextSizes: [{ height: 2, width: 2, probability: 1 }],
    programs: [{ contextTokens: 3, targetTokens: 1, probability: 1 }],
  },
  targetsMaskedAt: "output",
  schedule: {
    steps: 40,
    curveSteps: 40,
    warmupSteps: 4,
    lrStart: 1e-4,
    lrPeak: 1e-3,
    lrFinal: 1e-6,
    weightDecayStart: 0.04,
    weightDecayFinal: 0.4,
    momentumStart: 0.99,
    momentumFinal: 1,
    momentumSteps: 40,
  },
  optimizer: {
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    epochs: 10,
    stepsPerEpoch: 4,
    globalBatch: 16,
    accumulation: 1,
    deviceBatch: 16,
    skipNonFinite: 0,
  },
  dropPath: 0,
  positionScale: 1,
  evaluation: { everyEpochs: 0, knnNeighbours: 20, knnTemperature: 0.07, trainImages: 64, testImages: 64 },
  log: {
    logEverySteps: 1,
    checkpointEveryEpochs: 1,
    keepEveryEpochs: 5,
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

const normal = { kind: "normal", std: 0.02 } as const;
const zeros = { kind: "zeros" } as const;

export const parameters: readonly Parameter[] = [
  {
    path: "encoder.patchEmbed.weight",
    shape: [48, 8],
    officialName: "patch_embed.proj.weight",
    officialShape: [8, 3, 4, 4],
    transposed: true,
    init: normal,
  },
  {
    path: "encoder.blocks.0.attn.qkv.weight",
    shape: [8, 24],
    officialName: "blocks.0.attn.qkv.weight",
    officialShape: [24, 8],
    transposed: true,
    init: normal,
  },
  {
    path: "encoder.blocks.0.attn.qkv.bias",
    shape: [24],
    officialName: "blocks.0.attn.qkv.bias",
    officialShape: [24],
    transposed: false,
    init: zeros,
  },
  {
    path: "predictor.maskToken",
    shape: [4],
    officialName: "mask_token",
    officialShape: [1, 1, 4],
    transposed: false,
    init: normal,
  },
  {
    path: "predictor.embed.weight",
    shape: [8, 4],
    officialName: "predictor_embed.weight",
    officialShape: [4, 8],
    transposed: true,
    init: normal,
  },
];

/** State of a run: every tensor different, every value different. */
export function stateOf(list: readonly Parameter[], from = 0): Map<string, Float32Array> {
  const state = new Map<string, Float32Array>();
  let next = from;
  const put = (path: string, { shape }: Parameter): void => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).map(() => ++next / 16);
    state.set(path, values);
  };
  for (const parameter of list) {
    for (const tree of ["weights", "m", "v"]) put(`${tree}.${parameter.path}`, parameter);
    if (parameter.path.startsWith("encoder.")) put(`target.${parameter.path.slice("encoder.".length)}`, parameter);
  }
  return state;
}

export function readerOf(state: ReadonlyMap<string, Float32Array>): (path: string) => Promise<Float32Array> {
  return async (path) => {
    const values = state.get(path);
    if (values === undefined) throw new Error(`the state has no ${path}`);
    return values;
  };
}

export const positions = {
  encoder: new Float32Array(4 * 8).map((_, i) => Math.sin(i)),
  predictor: new Float32Array(4 * 4).map((_, i) => Math.cos(i)),
};

export const tables = objectives.ijepa.positions(experiment).map(({ name, shape, constant }) => ({
  name,
  shape,
  values: constant === "positions" ? positions.encoder : positions.predictor,
}));
