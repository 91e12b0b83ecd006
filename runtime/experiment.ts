/**
 * What a generated trainer tells the runtime: the constants of its experiment and the functions written for it. Plain
 * data; every number is decided by the compiler. Paths that a person may want to move are the only things that flags
 * of the trainer override.
 */
import type { DeviceName, EngineName, HostArray, Precision, TensorSpec } from "./engines/engine";
import type { BlockwisePlan, MaskPlan, VisiblePlan } from "./masks/plan";
import type { RecordedForm } from "./objectives/recorded-form";
import type { AnyTensor, Ops } from "./ops/ops";
import type { Tree } from "./ops/tree";
import type { LengthName, Lengths } from "./step/lengths";
import type { StateName } from "./step/trees";

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

/** Images that are read from files, whatever holds them. */
interface ReadData {
  readonly trainPath: string;
  /** Held-out images for the probes, or null. */
  readonly validationPath: string | null;
  readonly trainImages: number;
  /** Share of the images of trainPath that is kept aside for the probes, by a hash of the name; 0 = none. */
  readonly holdOut: number;
  readonly labels: boolean;
  /** More bad images than this share of those to train on end the run. */
  readonly maxBadShare: number;
  /** Turned upright as their EXIF says; torchvision does not do that. */
  readonly exifRotation: boolean;
}

/** Image files below a folder; the first level of folders are the classes where `labels` is true. */
export interface FolderData extends ReadData {
  readonly kind: "folder";
}

/** Tar shards in the layout of WebDataset; paths are patterns. */
export interface WebDatasetData extends ReadData {
  readonly kind: "webdataset";
  /** Images that are mixed with one another, beside the order of the shards. */
  readonly shuffleBuffer: number;
}

/** Parquet files in the layout of the Hugging Face hub; paths are patterns. */
export interface ParquetData extends ReadData {
  readonly kind: "parquet";
  /** Images that are mixed with one another, beside the order of the row groups. */
  readonly shuffleBuffer: number;
  readonly imageColumn: string;
  readonly labelColumn: string;
}

/** What is not rendered. */
export type FileData = FolderData | WebDatasetData | ParquetData;

export type DataPlan = ShapesData | FileData;

/** reference.md §6; all in optimizer steps. */
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
  /** Momentum of the target encoder, where there is one. */
  readonly momentumStart?: number;
  readonly momentumFinal?: number;
  /** Steps over which momentum grows, ipe · epochs · scale; need not be whole. */
  readonly momentumSteps?: number;
}

export interface OptimizerPlan {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Images of one optimizer step, over all devices. */
  readonly globalBatch: number;
  /** Micro-batches per optimizer step. */
  readonly accumulation: number;
  /** Images of one run of the step function. */
  readonly deviceBatch: number;
  /** Steps that may be taken back as their loss or gradient is not finite; 0 = the first one ends the run. */
  readonly skipNonFinite: number;
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
  /** Numbered copies of the last so many checkpoints are kept; 1 = of none but those above. */
  readonly keepLast: number;
  /** A copy is kept of the checkpoint at which this metric (report/metric.ts) is best, or of none. */
  readonly keepBestMetric: string | null;
  /** Event files for TensorBoard are written. */
  readonly tensorboard: boolean;
  /** Addresses of servers that show the run, or null. */
  readonly mlflow: string | null;
  readonly trackio: string | null;
}

export interface HardwarePlan {
  readonly engine: EngineName;
  readonly device: DeviceName;
  /** Devices that share the global batch; each is a rank of its own. */
  readonly gpus: number;
  /** Each device keeps the moments of AdamW of its shard of the weights alone, and updates that. */
  readonly shardOptimizer: boolean;
  /** Gradients are reduced over devices in buckets of so many MiB. */
  readonly reduceBucketMiB: number;
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

/** What any experiment says, whatever it trains. */
export interface CommonExperiment {
  readonly name: string;
  readonly generatorVersion: string;
  /** sha256 of the canonical spec. */
  readonly specHash: string;
  /** sha256 of what of it is trained, whatever it is trained on: checkpoints go on where it is the same. */
  readonly trainingHash: string;
  /** Fields of the spec that the command line changed, each `a.b.c=value`. */
  readonly settings?: readonly string[];
  /** sha256 of the code of a trainer that was edited by hand, as `ijepa bundle` found it; absent of any other. */
  readonly editedCode?: string;
  readonly seed: number;
  readonly image: ImagePlan;
  readonly augmentation: AugmentationPlan;
  readonly data: DataPlan;
  readonly encoder: NetworkPlan;
  readonly schedule: SchedulePlan;
  readonly optimizer: OptimizerPlan;
  /** Largest rate of stochastic depth, at the last block of the encoder that is trained; 0 = none. */
  readonly dropPath: number;
  /** Factor on the sin-cos position tables; 1 in the reference. */
  readonly positionScale: number;
  readonly evaluation: EvaluationPlan;
  readonly log: LogPlan;
  readonly hardware: HardwarePlan;
  /** Where checkpoints and logs go by default, e.g. `runs/quickstart`. */
  readonly runDirectory: string;
}

export interface IJepaExperiment extends CommonExperiment {
  readonly objective: "ijepa";
  readonly predictor: NetworkPlan;
  readonly masks: MaskPlan;
  /** Where the target encoder is masked: it sees all patches or those of a target alone. */
  readonly targetsMaskedAt: "output" | "input";
  /** What is added to the loss: weight · (variance · V + covariance · C); left out where nothing is. */
  readonly regularizer?: RegularizerPlan;
}

/** The weights of the terms of VICReg. */
export interface RegularizerPlan {
  readonly name: "vicreg";
  readonly weight: number;
  readonly variance: number;
  readonly covariance: number;
}

export interface MaeExperiment extends CommonExperiment {
  readonly objective: "mae";
  readonly decoder: NetworkPlan;
  /** Whether the encoder has a class token. */
  readonly classToken: boolean;
  readonly masks: VisiblePlan;
}

export interface SimmimExperiment extends CommonExperiment {
  readonly objective: "simmim";
  /** Whether the encoder has a class token. */
  readonly classToken: boolean;
  readonly masks: VisiblePlan;
}

export interface Data2VecExperiment extends CommonExperiment {
  readonly objective: "data2vec";
  /** Whether the encoder has a class token. */
  readonly classToken: boolean;
  readonly masks: BlockwisePlan;
}

/** Everything of an experiment that is data, by what it trains. */
export type Experiment = IJepaExperiment | MaeExperiment | SimmimExperiment | Data2VecExperiment;

/** What may be trained: a folder of runtime/objectives. */
export type ObjectiveName = Experiment["objective"];

export type ExperimentOf<Name extends ObjectiveName> = Extract<Experiment, { readonly objective: Name }>;

/** A generated function with what the trainer has to know of it. Its trees are laid out by what trees.ts of a trainer says. */
export interface GeneratedFunction {
  /** The trees of the state that it reads. */
  readonly reads: readonly StateName[];
  /** What it is given at every call. */
  readonly inputs: Tree<TensorSpec>;
  /** `state` in the result has the trees that take the place of those of the state. */
  readonly run: (
    ops: Ops,
    state: Tree<AnyTensor>,
    inputs: Tree<AnyTensor>,
    lengths: Lengths,
  ) => { readonly state: object; readonly outputs: object };
}

/** A part of the step: all of it, or what runs for every micro-batch and what runs after them. */
export interface StepFunction extends GeneratedFunction {
  readonly name: string;
  readonly every: "micro-batch" | "step";
}

/** A micro-batch of one device. */
export interface BatchRequest {
  /** Optimizer step, from 0. */
  readonly step: number;
  /** Number of its first image within the global batch. */
  readonly firstImage: number;
}

/** What the step is given of a micro-batch beside its images. Lengths are the same for all devices of a step. */
export interface ObjectiveBatch {
  readonly lengths: Lengths;
  /** Leaves of the tree `batch`, laid out as trees.ts of the trainer says. */
  readonly batch: { readonly [name: string]: Tree<HostArray> };
}

/** A constant that a checkpoint holds, since the state dicts of others do: a fixed table of position embeddings. */
export interface PositionTensor {
  readonly name: string;
  readonly shape: readonly [1, patches: number, width: number];
  /** Of the leaf of the step's constants. */
  readonly constant: string;
}

/** The encoder that evaluations look through and exports take. */
export type JudgedEncoder =
  | { readonly tree: "target" & StateName; readonly name: "target encoder" }
  | { readonly tree: "weights" & StateName; readonly name: "encoder" };

/** Patches of an image, by their numbers: a leaf of the batch. */
export interface MaskLeaf {
  readonly leaf: string;
  /** What people call them: `context`. */
  readonly name: string;
}

/**
 * What a trainer has to know of its objective beside the generated step: what it makes for each step, what it keeps of it in
 * checkpoints, and which encoder is judged and handed on. A generated main.ts imports its own (objectives/), so that a bundle
 * has no other; tools find it by name. The compiler's half lies in compiler/objectives.
 */
export interface RuntimeObjective<E extends Experiment = Experiment> {
  /** Masks and whatever else is drawn: a pure function of the experiment and the place in the run. */
  batch(experiment: E, request: BatchRequest): ObjectiveBatch;
  /** Leaves of the tree `constants` beside those of every step (functions.ts); made once. */
  constants(experiment: E): { readonly [name: string]: Float32Array };
  /** Constants that its checkpoints hold, since the state dicts of others have them. */
  positions(experiment: E): readonly PositionTensor[];
  /** Its networks in a few words, for the first lines of a run: `encoder 4×96, predictor 2×48`. */
  networks(experiment: E): string;
  /** The transformer behind its encoder, where there is one. */
  second(experiment: E): NetworkPlan | null;
  /** Which patches a step sees, [contexts · sets · B, C], and predicts, [sets · B, targets · T], for pictures and recorded steps. */
  readonly masks: { readonly seen: MaskLeaf; readonly predicted: MaskLeaf };
  readonly judged: JudgedEncoder;
  /** How its encoder is handed on: the lines that load it, and the other formats of `ijepa export`. */
  readonly handsOn: {
    /** The class of Hugging Face's transformers. */
    readonly model: string;
    /** Arguments of `from_pretrained` beside the folder. */
    readonly options: string;
    /** Where the encoder is in it: `.vit`; left out where it is all of it. */
    readonly encoder?: string;
    /** The mean over all patches of what it gives. */
    readonly features: string;
    /** `timm, onnx and safetensors` */
    readonly formats: string;
  };
  /** What a recorded run of it holds, for `ijepa replay`. */
  readonly recorded: RecordedForm;
  // Methods of two views (BYOL, VICReg, SimCLR, DINO, MSN, iBOT) will need crops of an image beside `batch`, and a say in how
  // their own trees of the state (queues, centres) begin; the data path then gives several images for each of a batch.
}

/** What main.ts of a trainer hands over. */
export interface TrainerProgram {
  readonly experiment: Experiment;
  readonly objective: RuntimeObjective;
  readonly parameters: readonly Parameter[];
  /** What lives from step to step, in the order of the store. */
  readonly state: readonly StateName[];
  /** The lengths that differ from program to program: the functions take them as type parameters. */
  readonly lengths: readonly LengthName[];
  /** In the order in which they run. */
  readonly functions: readonly StepFunction[];
  /** Mean-pooled features of the encoder that is judged: images [B, 3, H, W] → features [B, D]. */
  readonly features: GeneratedFunction;
}
