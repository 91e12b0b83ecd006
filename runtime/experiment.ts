/**
 * What a generated trainer tells the runtime: the constants of its experiment and the functions written for it. Plain
 * data; every number is decided by the compiler. Paths that a person may want to move are the only things that flags
 * of the trainer override.
 */
import type { DeviceName, EngineName, Precision } from "./engines/engine";
import type { Ops } from "./ops/ops";

/** A weight: where it lives in the generated tree and what the official state dict calls it (reference.md §3, §4). */
export interface Parameter {
  /** Path in the tree of weights, e.g. `encoder.blocks.0.attn.qkv.weight`. */
  readonly path: string;
  /** Shape in the generated step: linear weights are [in, out]. */
  readonly shape: readonly number[];
  /** Name in the state dict of its network, without `module.`, e.g. `blocks.0.attn.qkv.weight`. */
  readonly officialName: string;
  readonly officialShape: readonly number[];
  /** True where the official tensor, seen as [out, everything else], is the transpose of ours. */
  readonly transposed: boolean;
  /** AdamW decays it: not a bias and not one-dimensional (reference.md §7). */
  readonly decay: boolean;
  readonly init: { readonly kind: "normal"; readonly std: number } | { readonly kind: "zeros" | "ones" };
}

export interface ImagePlan {
  readonly height: number;
  readonly width: number;
  readonly channels: 3;
  readonly patch: number;
  readonly gridHeight: number;
  readonly gridWidth: number;
  /** Per channel, of values in 0…1. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

export interface AugmentationPlan {
  /** Area of the random resized crop as a share of the image. */
  readonly cropScale: readonly [number, number];
  /** Width over height of the crop. */
  readonly cropAspect: readonly [number, number];
  /** Mirrors left and right with probability ½. */
  readonly horizontalFlip: boolean;
}

/** Scenes that the project renders itself. */
export interface ShapesData {
  readonly kind: "shapes";
  /** Images of the training split, and of the two held-out splits: tune on validation, report on test. */
  readonly trainImages: number;
  readonly validationImages: number;
  readonly testImages: number;
  /** Side of a rendered scene, in pixels. */
  readonly sceneSize: number;
  /** How hard: 0 = one object on a plain ground … 1 = as many small objects and as much variation as there is. */
  readonly difficulty: number;
  readonly seed: number;
}

/** Image files below a folder; the first level of folders are the classes where `labels` is true. */
export interface FolderData {
  readonly kind: "folder";
  readonly trainPath: string;
  /** Held-out images for the probes, or null. */
  readonly validationPath: string | null;
  readonly trainImages: number;
  readonly labels: boolean;
}

export type DataPlan = ShapesData | FolderData;

/** Target blocks of `height`×`width` patches: one outcome of the size draw. */
export interface BlockSize {
  readonly height: number;
  readonly width: number;
  /** Exact share of the batches with this size. */
  readonly probability: number;
}

/** One pair of lengths for which the step runs. */
export interface Program {
  readonly contextTokens: number;
  readonly targetTokens: number;
  readonly probability: number;
}

/** A target block size with what the step keeps when it is drawn. */
export interface TargetSize extends BlockSize {
  readonly contextTokens: number;
  /** Index into `programs`. */
  readonly program: number;
}

export interface MaskPlan {
  readonly gridHeight: number;
  readonly gridWidth: number;
  readonly sampler: "reference" | "unbiased";
  readonly targetCount: number;
  readonly targetScale: readonly [number, number];
  readonly targetAspect: readonly [number, number];
  readonly contextCount: number;
  readonly contextScale: readonly [number, number];
  readonly minKeep: number;
  readonly allowOverlap: boolean;
  /** Every target block size that can occur, with the context tokens kept for it. */
  readonly sizes: readonly TargetSize[];
  /** Every size of the context block, before target patches are taken out of it. */
  readonly contextSizes: readonly BlockSize[];
  readonly programs: readonly Program[];
}

/** reference.md §6; all in optimiser steps. */
export interface SchedulePlan {
  readonly steps: number;
  /** T: the length of the curves, steps × scale factor. */
  readonly curveSteps: number;
  readonly warmupSteps: number;
  readonly lrStart: number;
  readonly lrPeak: number;
  readonly lrFinal: number;
  readonly weightDecayStart: number;
  readonly weightDecayFinal: number;
  readonly momentumStart: number;
  readonly momentumFinal: number;
  /** Steps over which momentum grows, ipe · epochs · scale; need not be whole. */
  readonly momentumSteps: number;
}

export interface OptimiserPlan {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Images of one optimiser step, over all devices. */
  readonly globalBatch: number;
  /** Micro-batches per optimiser step. */
  readonly accumulation: number;
  /** Images of one run of the step function. */
  readonly deviceBatch: number;
}

export interface EvaluationPlan {
  /** Evaluate every so many epochs; 0 = only at the end. */
  readonly everyEpochs: number;
  readonly knnNeighbours: number;
  readonly knnTemperature: number;
  /** Most images of each split that are used. */
  readonly trainImages: number;
  readonly testImages: number;
}

export interface LogPlan {
  readonly logEverySteps: number;
  readonly checkpointEveryEpochs: number;
  /** A numbered copy of the checkpoint is kept every so many epochs; 0 = never. */
  readonly keepEveryEpochs: number;
}

export interface HardwarePlan {
  readonly engine: EngineName;
  readonly device: DeviceName;
  readonly precision: Precision;
  /** Threads of the engine; 0 = as many as there are cores. */
  readonly threads: number;
  /** Threads that prepare images; 0 = chosen by the trainer. */
  readonly workers: number;
}

export interface NetworkPlan {
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
}

/** Everything of an experiment that is data. */
export interface Experiment {
  readonly name: string;
  readonly generatorVersion: string;
  /** sha256 of the canonical spec. */
  readonly specHash: string;
  readonly seed: number;
  readonly image: ImagePlan;
  readonly augmentation: AugmentationPlan;
  readonly data: DataPlan;
  readonly encoder: NetworkPlan;
  readonly predictor: NetworkPlan;
  readonly masks: MaskPlan;
  readonly schedule: SchedulePlan;
  readonly optimiser: OptimiserPlan;
  /** Largest rate of stochastic depth, at the last block of the context encoder; 0 = none. */
  readonly dropPath: number;
  /** Factor on the sin-cos position tables; 1 in the reference. */
  readonly positionScale: number;
  readonly evaluation: EvaluationPlan;
  readonly log: LogPlan;
  readonly hardware: HardwarePlan;
  /** Where checkpoints and logs go by default, e.g. `runs/quickstart`. */
  readonly runDirectory: string;
}

export type LengthName = keyof Lengths;

/** Token counts of one program, by the names that the generated code gives them. */
export type Lengths = {
  /** Context tokens. */ readonly C: number;
  /** Tokens of one target block. */ readonly T: number;
  /** Tokens of a predictor sequence, C + T. */ readonly S: number;
  /** Tokens of all target blocks of an image. */ readonly U: number;
};

/**
 * The generated functions. Their trees, by path:
 *   state   weights.encoder.…, weights.predictor.…, m.…, v.… (as weights), target.… (as encoder)
 *   batch   images [B,3,H,W], contextIndex [contexts·B, C], targetIndex [B, U] (blocks side by side),
 *           dropPath.<block>.{attn,mlp} [contexts·B] where the experiment has drop path
 *   schedule  stepSize, secondMoment, decayFactor, keep, take: scalars of this step (see ops.ts, adamw and ema)
 *   constants positions [N, D], predictorPositions [N, P]
 */
export interface TrainerProgram {
  readonly experiment: Experiment;
  /** The lengths that differ from program to program: the functions take them as type parameters. */
  readonly lengths: readonly LengthName[];
  readonly parameters: readonly Parameter[];
  /** Whole step; or, with accumulation, the gradient of one micro-batch added to `state.gradients`, then `update`. */
  readonly functions: StepFunctions;
  /** Mean-pooled features of the target encoder: images [B,3,H,W] → [B, D]. */
  readonly features: GeneratedFunction;
}

/** `accumulate` adds the gradient of one micro-batch to the tree `gradients` of the state; `update` consumes and clears it. */
export type StepFunctions =
  | { readonly kind: "step"; readonly step: GeneratedFunction }
  | { readonly kind: "accumulate"; readonly accumulate: GeneratedFunction; readonly update: GeneratedFunction };

export type GeneratedFunction = (
  ops: Ops,
  state: unknown,
  inputs: unknown,
  lengths: Lengths,
) => { readonly state: unknown; readonly outputs: unknown };
