// Generated from schema/experiment.schema.json by `npm run generate`; edit the schema instead.

/** An experiment of any objective. */
export type Spec = IjepaSpec | MaeSpec | SimmimSpec | Data2VecSpec;
/** One I-JEPA pre-training experiment. Every default is the value of the released configuration in1k_vith14_ep300 where it has one. */
export interface IjepaSpec {
  /** Name of the experiment: its folder below `generated/` and below `runs/`. [text] */
  readonly name: string;
  /** A sentence for people: what the experiment is for. [text] */
  readonly description: string;
  /** Seed of everything random: initial weights, order of the images, crops and masks. [seed] */
  readonly seed: number;
  /** What is trained: `ijepa` predicts the representations of target blocks from a context, `mae` the pixels of masked patches from those that are seen, `simmim` the same by a linear layer behind an encoder that sees mask tokens, `data2vec` what a moving average of the encoder makes of masked patches where it sees the whole image. It decides which fields there are; those of others are refused. */
  readonly objective: "ijepa";
  readonly image: ImageSpec;
  readonly encoder: EncoderSpec;
  readonly predictor: PredictorSpec;
  /** Which patches are context and which are predicted: one of the strategies that the paper compares (Table 6). */
  readonly masking: MultiblockMaskingSpec | BlockMaskingSpec | RandomMaskingSpec | RasterizedMaskingSpec;
  /** Sets of masks of every image in a step, each with a context and targets of its own. The target encoder, half of the work of a step with one set, sees the image once for all of them; the loss is the mean over them. The first set is what one set draws. With `masking.context.tokens: "auto"` contexts have the mean length of the shortest of all sets and images of a device's batch. [sets] */
  readonly maskSets: number;
  readonly targets: TargetsSpec;
  /** Distance between prediction and target, averaged over every value: `smoothL1` (beta 1, as released) or `mse` (mean squared error, as in the paper's text). */
  readonly loss: "smoothL1" | "mse";
  /** What is added to the loss so that features do not collapse. I-JEPA has a moving average alone; C-JEPA adds terms of VICReg. */
  readonly regularizer: NoRegularizerSpec | VicregRegularizerSpec;
  /** Where the images come from. */
  readonly data: ShapesDataSpec | FolderDataSpec | WebDatasetDataSpec | ParquetDataSpec;
  readonly augmentation: AugmentationSpec;
  readonly optimization: OptimizationSpec;
  readonly init: InitSpec;
  readonly evaluation: EvaluationSpec;
  readonly checkpoint: CheckpointSpec;
  readonly log: LogSpec;
  readonly hardware: HardwareSpec;
}
/** The images that the encoder sees: square, three channels. */
export interface ImageSpec {
  /** Side of the square that the encoder sees, after cropping; a multiple of `encoder.patch`. [pixels] */
  readonly size: number;
  /** Mean that is subtracted from red, green and blue. [intensity, 0 black … 1 white] */
  readonly mean: readonly [number, number, number];
  /** Standard deviation by which red, green and blue are divided. [intensity, 0 black … 1 white] */
  readonly std: readonly [number, number, number];
}
/** The vision transformer that is trained, and with `ijepa` its momentum copy, the target encoder. Give `size`, or `dim`, `depth` and `heads`. */
export interface EncoderSpec {
  /** Width of a token; `heads` divides it, and so does 4 (sine and cosine of two coordinates). [features] */
  readonly dim: number;
  /** Number of transformer blocks. [blocks] */
  readonly depth: number;
  /** Attention heads of every block. [heads] */
  readonly heads: number;
  /** Hidden width of the MLP of a block, as a multiple of `dim`; the product is rounded down. [× dim] */
  readonly mlpRatio: number;
  /** Side of a square patch; it divides `image.size`. [pixels] */
  readonly patch: number;
  /** Stochastic depth of the encoder that is trained: the rate at the last block, growing linearly from 0 at the first. The released ViT-B of SimMIM has 0.1 and of data2vec 0.25; the default is 0 for all. [probability] */
  readonly dropPath: number;
}
/** The narrow transformer that predicts the targets from the context. */
export interface PredictorSpec {
  /** Width of a token in the predictor; `heads` divides it, and so does 4. [features] */
  readonly dim: number;
  /** Number of transformer blocks; the paper takes 6 for base, 12 for large and huge, 16 for giant. [blocks] */
  readonly depth: number;
  /** Attention heads of every block. [heads] */
  readonly heads: number;
  /** Hidden width of the MLP of a block, as a multiple of `dim`; the product is rounded down. [× dim] */
  readonly mlpRatio: number;
}
/** Multi-block masking, I-JEPA's own: several target blocks, and a large context block from which their patches are taken out. */
export interface MultiblockMaskingSpec {
  /** Several blocks are predicted from a large one. */
  readonly strategy: "multiblock";
  /** `reference` draws blocks as the released code does, its quirks included; `unbiased` draws scale and aspect independently, reaches every position, and drops surplus context tokens at random instead of from the bottom. */
  readonly sampler: "reference" | "unbiased";
  /** Whether the context may contain patches of the targets. */
  readonly allowOverlap: boolean;
  /** A block counts only if it keeps more than this many patches. [patches] */
  readonly minKeep: number;
  readonly targets: MaskingTargetsSpec;
  readonly context: MaskingContextSpec;
}
/** The blocks that are predicted. */
export interface MaskingTargetsSpec {
  /** Target blocks per image. [blocks] */
  readonly count: number;
  /** Smallest and largest area of a target block. [share of the patches] */
  readonly scale: readonly [number, number];
  /** Smallest and largest aspect of a target block. [height ÷ width] */
  readonly aspect: readonly [number, number];
}
/** The square block from which the targets are predicted. */
export interface MaskingContextSpec {
  /** Context blocks per image; every one of them predicts every target. [blocks] */
  readonly count: number;
  /** Smallest and largest area of the context block, before the targets are taken out. [share of the patches] */
  readonly scale: readonly [number, number];
  /** Context patches that are kept. `auto` keeps, for every size of target, the mean that the released code keeps after cutting a batch to its shortest context. [patches] */
  readonly tokens: "auto" | number;
}
/** Block masking: one large block is predicted from all patches outside it. Its place is uniform over the image. */
export interface BlockMaskingSpec {
  /** One block is predicted from everything else. */
  readonly strategy: "block";
  readonly targets: BlockMaskingTargetsSpec;
}
/** The block that is predicted. */
export interface BlockMaskingTargetsSpec {
  /** Smallest and largest area of the block; the paper has 0.6. [share of the patches] */
  readonly scale: readonly [number, number];
  /** Smallest and largest aspect of the block. The paper does not say; the default is that of multi-block targets. [height ÷ width] */
  readonly aspect: readonly [number, number];
}
/** Random masking: patches from anywhere in the image are predicted from all others. */
export interface RandomMaskingSpec {
  /** Patches from anywhere are predicted from everything else. */
  readonly strategy: "random";
  readonly targets: RandomMaskingTargetsSpec;
}
/** The patches that are predicted. */
export interface RandomMaskingTargetsSpec {
  /** How many patches are predicted, rounded to a whole number: the same in every image. The paper has 0.6. [share of the patches] */
  readonly share: number;
}
/** Rasterized masking: the image is cut into four quadrants, and three of them are predicted from the fourth. The paper does not say which; it is drawn anew for every image, each as often as the others. */
export interface RasterizedMaskingSpec {
  /** Three quadrants are predicted from the fourth. */
  readonly strategy: "rasterized";
}
/** What has to be predicted. */
export interface TargetsSpec {
  /** `representations` of the target encoder, or the `pixels` of the patches. */
  readonly space: "representations" | "pixels";
  /** Where the target encoder is masked: at its `output` it sees every patch and targets are chosen from what it makes of them; at its `input` it sees the patches of one target alone (the paper's Table 11). Pixels know no `input`. */
  readonly maskedAt: "output" | "input";
  /** Normalizes every target vector (the features of a token, or the pixels of a patch) to mean 0 and deviation 1 before it is compared. */
  readonly normalize: boolean;
}
/** The loss is that of the predictions alone, as in I-JEPA. */
export interface NoRegularizerSpec {
  /** Nothing is added to the loss. */
  readonly name: "none";
}
/** The variance and covariance terms of VICReg (Bardes et al. 2022; γ = 1, ε = 1e-4), on the context encoder's features, the mean over the patches of a context, as in C-JEPA (Mo and Tong 2024). That paper's invariance between two views is the prediction here. Statistics are those of one micro-batch on one device. */
export interface VicregRegularizerSpec {
  /** Adds `weight` · (`variance` · V + `covariance` · C) to the loss. */
  readonly name: "vicreg";
  /** Weight of both terms in the loss; 0.001 is β_vicreg of C-JEPA. [weight] */
  readonly weight: number;
  /** Weight of the variance term: how far the deviation of each feature over the batch falls short of 1; 25 is β_std of C-JEPA, and μ of VICReg. [weight] */
  readonly variance: number;
  /** Weight of the covariance term: squares of the covariances of different features over the batch; 1 is β_cov of C-JEPA, and ν of VICReg. [weight] */
  readonly covariance: number;
}
/** Ray-cast scenes of solids that the trainer renders itself: no download, the same on every machine. */
export interface ShapesDataSpec {
  /** Scenes that the trainer renders. */
  readonly source: "shapes";
  /** Images of the training split. [images] */
  readonly trainImages: number;
  /** Held-out images to choose settings on. [images] */
  readonly validationImages: number;
  /** Held-out images to report on. [images] */
  readonly testImages: number;
  /** Side of a rendered scene, before cropping. [pixels] */
  readonly sceneSize: number;
  /** 0 is one object on a plain ground, 1 as many small objects and as much variation as there is. [0 … 1] */
  readonly difficulty: number;
  /** Seed of the scenes; apart from `seed`, so that several runs can share one set of images. [seed] */
  readonly seed: number;
}
/** Image files below a folder, sub-folders included. */
export interface FolderDataSpec {
  /** Image files below a folder. */
  readonly source: "folder";
  /** Folder of the training images, seen from the folder of this file; `--data` of the trainer moves it. [path] */
  readonly train: string;
  /** Folder of held-out images for the probes, or null. [path] */
  readonly validation: string | null;
  /** How many images there are to train on: the schedules are computed from it, and the trainer checks it. Give it where a spec is compiled on a machine that has not the images. [images] */
  readonly images: number;
  /** Share of the images below `train` that is kept aside for the probes where there is no `validation`, chosen by a hash of the name. [share] */
  readonly holdOut: number;
  /** Whether the first level of folders names the classes; only the probes use them. A folder that has images and no folders has no classes either way. */
  readonly labels: boolean;
  /** Share of the training images that may turn out missing, unreadable or damaged: each of these is replaced by another one, drawn from the seed, the epoch and its number. More of them stop the run; 0 stops it at the first. [share] */
  readonly maxBadShare: number;
  /** Whether pictures are turned upright as their EXIF says. torchvision does not do it, so neither did the published runs. */
  readonly exifRotation: boolean;
}
/** Tar shards in the layout of WebDataset: a sample is the files of one name, an image and what goes with it. */
export interface WebDatasetDataSpec {
  /** Tar shards in the layout of WebDataset. */
  readonly source: "webdataset";
  /** Training shards, seen from the folder of this file: one file, a folder, or a pattern such as `train-{000000..000099}.tar` or `train-*.tar`; `.tar.gz` and `.tgz` are read too; `--data` of the trainer moves it. [path] */
  readonly train: string;
  /** Shards of held-out images for the probes, or null. [path] */
  readonly validation: string | null;
  /** How many images there are to train on: the schedules are computed from it, and the trainer checks it. Give it where a spec is compiled on a machine that has not the images. [images] */
  readonly images: number;
  /** Share of the images below `train` that is kept aside for the probes where there is no `validation`, chosen by a hash of the name. [share] */
  readonly holdOut: number;
  /** Whether `.cls`, or `label`, `cls` or `class` of `.json`, beside an image is its class; only the probes use them. Shards without any have no classes either way. */
  readonly labels: boolean;
  /** Share of the training images that may turn out missing, unreadable or damaged: each of these is replaced by another one, drawn from the seed, the epoch and its number. More of them stop the run; 0 stops it at the first. [share] */
  readonly maxBadShare: number;
  /** Whether pictures are turned upright as their EXIF says. torchvision does not do it, so neither did the published runs. */
  readonly exifRotation: boolean;
  /** Images that are mixed with one another: each epoch takes the shards in a new order, and out of so many next images one at random. Larger mixes better, smaller reads more in order; it costs no memory. [images] */
  readonly shuffleBuffer: number;
}
/** Parquet files in the layout of image data sets on the Hugging Face hub: a column of encoded images, and one of labels. */
export interface ParquetDataSpec {
  /** Parquet files in the layout of the Hugging Face hub. */
  readonly source: "parquet";
  /** Training files, seen from the folder of this file: one file, a folder, or a pattern such as `data/train-*.parquet`; `--data` of the trainer moves it. [path] */
  readonly train: string;
  /** Files of held-out images for the probes, or null. [path] */
  readonly validation: string | null;
  /** How many images there are to train on: the schedules are computed from it, and the trainer checks it. Give it where a spec is compiled on a machine that has not the images. [images] */
  readonly images: number;
  /** Share of the images below `train` that is kept aside for the probes where there is no `validation`, chosen by a hash of the name. [share] */
  readonly holdOut: number;
  /** Whether `labelColumn` holds the class of an image; only the probes use it. Files without that column have no classes either way. */
  readonly labels: boolean;
  /** Share of the training images that may turn out missing, unreadable or damaged: each of these is replaced by another one, drawn from the seed, the epoch and its number. More of them stop the run; 0 stops it at the first. [share] */
  readonly maxBadShare: number;
  /** Whether pictures are turned upright as their EXIF says. torchvision does not do it, so neither did the published runs. */
  readonly exifRotation: boolean;
  /** Images that are mixed with one another: each epoch takes the row groups in a new order, and out of so many next images one at random. Larger mixes better; the row groups that hold so many images should fit in the memory for them (docs/data.md). [images] */
  readonly shuffleBuffer: number;
  /** Column of the images: bytes, or a struct of `bytes` and `path`. [text] */
  readonly imageColumn: string;
  /** Column of the classes: whole numbers, named by the file's `ClassLabel` where there is one, or texts. [text] */
  readonly labelColumn: string;
}
/** What is done to a training image: a random resized crop, and mirroring if asked for. */
export interface AugmentationSpec {
  /** Smallest and largest area of the random crop. Sources: main_pretrain.py of MAE's repository, data/data_simmim.py of SimMIM's, and for `data2vec` the crop of BEiT. [share of the image] */
  readonly cropScale: readonly [number, number];
  /** Smallest and largest aspect of the random crop, before it is resized to a square. [width ÷ height] */
  readonly cropAspect: readonly [number, number];
  /** Mirrors left and right with probability ½. */
  readonly horizontalFlip: boolean;
}
/** How long, with which batch, and how the weights follow the gradient: AdamW, and with `ijepa` a momentum target encoder. */
export interface OptimizationSpec {
  /** Passes over the training images. [epochs] */
  readonly epochs: number;
  /** Images of one optimizer step, over all devices and all accumulated parts. [images] */
  readonly globalBatch: number;
  /** Parts in which a device works through its share of the batch, adding up their gradients. [parts] */
  readonly accumulation: number;
  readonly learningRate: LearningRateSpec;
  readonly weightDecay: WeightDecaySpec;
  readonly momentum: MomentumSpec;
  /** Stretches all schedules beyond the end of training, which then stops early on them. [× the length of training] */
  readonly scheduleScale: number;
  readonly adamw: AdamWSpec;
  /** Scales the gradient down where its norm over all weights is larger than this; null leaves it as it is. Sources: CLIP_GRAD of config.py of SimMIM's repository, `--clip_grad` of the commands of data2vec's. [L2 norm] */
  readonly clipNorm: number | null;
  /** Steps that may be skipped because their loss or gradient is not finite: each leaves the state as it was and is counted; one more stops the run, with the images of its batch. Where it is not 0, the whole state is copied to the host and looked at in every step, which costs its size in memory and some time. [optimizer steps] */
  readonly skipNonFinite: number;
}
/** Linear from `start` to `peak` during the warm-up, then a cosine down to `final`. */
export interface LearningRateSpec {
  /** Where the warm-up starts from. [per step] */
  readonly start: number;
  /** Learning rate at the end of the warm-up, for 2048 images a step. Sources: `mae` paper, Table 8 (0.00015 for 256 images); `simmim` configs/swin_base__100ep (0.0002 for 512 images, with a cosine; vit_base__800ep has half of it with one step down); `data2vec` its command for ViT-B. [per step] */
  readonly peak: number;
  /** Learning rate at the end of the cosine. [per step] */
  readonly final: number;
  /** Length of the warm-up; fractions are fine. [epochs] */
  readonly warmupEpochs: number;
}
/** Decoupled weight decay of AdamW on everything but biases and norms: a cosine from `start` to `final`. */
export interface WeightDecaySpec {
  /** Weight decay of the first step. The papers and repositories of `mae`, `simmim` and `data2vec` hold 0.05 throughout. [× learning rate] */
  readonly start: number;
  /** Weight decay at the end of the cosine. [× learning rate] */
  readonly final: number;
}
/** Momentum of the target encoder, the moving average of the encoder: linear from `start` to `final`. */
export interface MomentumSpec {
  /** Share of itself that the target encoder keeps in the first step. The authors' commands of data2vec hold 0.9998 from the first step on (`--ema_start_at 0`). [share] */
  readonly start: number;
  /** Share of itself that it keeps at the end. [share] */
  readonly final: number;
}
/** The constants of AdamW. */
export interface AdamWSpec {
  /** Decay of the running mean of the gradient. [per step] */
  readonly beta1: number;
  /** Decay of the running mean of the squared gradient; 0.95 with `mae` by its paper, Table 8. [per step] */
  readonly beta2: number;
  /** Added to the root of the second moment. [gradient] */
  readonly eps: number;
}
/** The initial weights: normal draws; biases 0, norms 1. A target encoder starts as a copy of the encoder. */
export interface InitSpec {
  /** Standard deviation of every weight matrix, of the mask token and of the class token. [weight] */
  readonly std: number;
  /** Standard deviation of the patch embedding. [weight] */
  readonly patchStd: number;
  /** Factor on the sine-cosine position tables, which are not trained. [factor] */
  readonly positionScale: number;
  /** Divides the last matrix of the attention and of the MLP in block l = 1, 2, … by √(2l). The paper's code means to and then overwrites it, so training starts without. */
  readonly depthRescale: boolean;
}
/** Probes on frozen, mean-pooled features of the encoder (with `ijepa` of the target encoder), where the data has labels. */
export interface EvaluationSpec {
  /** Evaluate every so many epochs; 0 only at the end. [epochs] */
  readonly everyEpochs: number;
  readonly knn: KnnSpec;
  /** Most training images that the probes learn from. [images] */
  readonly trainImages: number;
  /** Most held-out images that the probes are judged on. [images] */
  readonly testImages: number;
}
/** The nearest-neighbour classifier by cosine similarity. */
export interface KnnSpec {
  /** Neighbours that vote. [images] */
  readonly neighbours: number;
  /** A neighbour's vote weighs exp(similarity ÷ temperature). [cosine similarity] */
  readonly temperature: number;
}
/** When the trainer saves its state, and which states it keeps. */
export interface CheckpointSpec {
  /** Write the latest state every so many epochs; it is always written at the end. [epochs] */
  readonly everyEpochs: number;
  /** Keep a numbered copy every so many epochs; 0 never. [epochs] */
  readonly keepEveryEpochs: number;
  /** Keep numbered copies of the last so many states written at the end of an epoch; older ones go once a new one is whole, but for those that `keepEveryEpochs` keeps. 1 keeps the latest alone. [checkpoints] */
  readonly keepLast: number;
  readonly keepBest: KeepBestSpec;
}
/** A copy of the state that was the best, as `<name>-best.safetensors`. */
export interface KeepBestSpec {
  /** What decides: `loss` (the mean of an epoch), `rankMe`, `featureSpread`, or a task's accuracy such as `class.knn` or `class.linearProbe`, as measured every `evaluation.everyEpochs`; null keeps none. The loss should be small, all others large. [name of a metric] */
  readonly metric: string | null;
}
/** What the trainer writes down while it trains. */
export interface LogSpec {
  /** Write a row to the log every so many steps. [optimizer steps] */
  readonly everySteps: number;
  /** Write event files for TensorBoard into the run folder: numbers of every logged step, masks over images at the start of epochs, and how the weights spread at their ends. */
  readonly tensorboard: boolean;
  /** Address of an MLflow tracking server that gets the numbers of the log while training goes on, or null. It is written without user, password and query: `MLFLOW_TRACKING_TOKEN` and the like come from the environment of the trainer. [address] */
  readonly mlflow: string | null;
  /** Address of a Trackio server that gets the numbers of the log while training goes on, or null. It is written without user, password and query: `TRACKIO_WRITE_TOKEN` and the like come from the environment of the trainer. [address] */
  readonly trackio: string | null;
}
/** What the trainer runs on. */
export interface HardwareSpec {
  /** Engine that runs the training step: `onnx` is onnxruntime-node, `tfjs` is TensorFlow.js, `xla` is XLA by a PJRT plugin. */
  readonly engine: "onnx" | "tfjs" | "xla";
  /** What the engine computes on. `onnx`: `cpu`, or `webgpu` (any GPU). `tfjs`: `gpu` (CUDA, by @tensorflow/tfjs-node-gpu), `cpu` (@tensorflow/tfjs-node where it is installed, else WebAssembly), `wasm` or `js` (no native code). `xla`: `cpu`, `gpu` (CUDA or ROCm) or `tpu`, whichever plugin is there. */
  readonly device: "cpu" | "gpu" | "tpu" | "webgpu" | "wasm" | "js";
  /** Devices in all, over every host, that share the global batch; each takes its part of it. More than one needs `onnx` on `cpu`, where a device is a process and MPI joins them, or `xla` on `cpu` or `gpu`, where a process holds several. [devices] */
  readonly gpus: number;
  /** Each device keeps AdamW's moments of its share of every weight alone, updates that share, and gets the shares of the others: the same numbers with less memory. With one device nothing changes. [yes or no] */
  readonly shardOptimizer: boolean;
  /** Gradients are reduced over devices in buckets of this size, those of the last layers first; a larger tensor has a bucket of its own. Results do not depend on it. [MiB] */
  readonly reduceBucketMiB: number;
  /** Number format of the operands of the step's matrix products. `bf16` rounds them to bfloat16 and sums in float32, where the device has it; everything between products, weights, moments and checkpoints are float32 always. `fp16` is refused. */
  readonly precision: "fp32" | "bf16" | "fp16";
  /** Threads of the engine; 0 takes as many as there are cores. [threads] */
  readonly threads: number;
  /** Threads that prepare images; 0 lets the trainer choose. [threads] */
  readonly workers: number;
}
/** One I-JEPA pre-training experiment. Every default is the value of the released configuration in1k_vith14_ep300 where it has one. */
export interface MaeSpec {
  /** Name of the experiment: its folder below `generated/` and below `runs/`. [text] */
  readonly name: string;
  /** A sentence for people: what the experiment is for. [text] */
  readonly description: string;
  /** Seed of everything random: initial weights, order of the images, crops and masks. [seed] */
  readonly seed: number;
  /** What is trained: `ijepa` predicts the representations of target blocks from a context, `mae` the pixels of masked patches from those that are seen, `simmim` the same by a linear layer behind an encoder that sees mask tokens, `data2vec` what a moving average of the encoder makes of masked patches where it sees the whole image. It decides which fields there are; those of others are refused. */
  readonly objective: "mae";
  readonly image: ImageSpec;
  readonly encoder: MaeEncoderSpec;
  readonly decoder: DecoderSpec;
  /** Share of the patches that are masked, drawn anew for every image: by `mae` one by one, by `data2vec` in blocks. The number of visible patches is rounded down. Sources: `mae` paper, Table 1f; `simmim` configs/ of its repository (MASK_RATIO 0.6); `data2vec` paper, §4.1, whose code has 120 of 196 patches. [share of the patches] */
  readonly maskRatio: number;
  readonly targets: MaeTargetsSpec;
  /** Where the images come from. */
  readonly data: ShapesDataSpec | FolderDataSpec | WebDatasetDataSpec | ParquetDataSpec;
  readonly augmentation: AugmentationSpec;
  readonly optimization: MaeOptimizationSpec;
  readonly init: InitSpec;
  readonly evaluation: EvaluationSpec;
  readonly checkpoint: CheckpointSpec;
  readonly log: LogSpec;
  readonly hardware: HardwareSpec;
}
/** The vision transformer that is trained, and with `ijepa` its momentum copy, the target encoder. Give `size`, or `dim`, `depth` and `heads`. */
export interface MaeEncoderSpec {
  /** Width of a token; `heads` divides it, and so does 4 (sine and cosine of two coordinates). [features] */
  readonly dim: number;
  /** Number of transformer blocks. [blocks] */
  readonly depth: number;
  /** Attention heads of every block. [heads] */
  readonly heads: number;
  /** Hidden width of the MLP of a block, as a multiple of `dim`; the product is rounded down. [× dim] */
  readonly mlpRatio: number;
  /** Side of a square patch; it divides `image.size`. [pixels] */
  readonly patch: number;
  /** Stochastic depth of the encoder that is trained: the rate at the last block, growing linearly from 0 at the first. The released ViT-B of SimMIM has 0.1 and of data2vec 0.25; the default is 0 for all. [probability] */
  readonly dropPath: number;
  /** Whether a class token, which is trained too, goes through the networks before the patches. Features are the mean over the patches either way. */
  readonly classToken: boolean;
}
/** The narrow transformer that predicts pixels: it sees the encoded patches, and a mask token in the place of every masked one. */
export interface DecoderSpec {
  /** Width of a token in the decoder; `heads` divides it, and so does 4. [features] */
  readonly dim: number;
  /** Number of transformer blocks. [blocks] */
  readonly depth: number;
  /** Attention heads of every block. [heads] */
  readonly heads: number;
  /** Hidden width of the MLP of a block, as a multiple of `dim`; the product is rounded down. [× dim] */
  readonly mlpRatio: number;
}
/** What has to be predicted. */
export interface MaeTargetsSpec {
  /** Normalizes every target vector (the features of a token, or the pixels of a patch) to mean 0 and deviation 1 before it is compared. */
  readonly normalize: boolean;
}
/** How long, with which batch, and how the weights follow the gradient: AdamW, and with `ijepa` a momentum target encoder. */
export interface MaeOptimizationSpec {
  /** Passes over the training images. [epochs] */
  readonly epochs: number;
  /** Images of one optimizer step, over all devices and all accumulated parts. [images] */
  readonly globalBatch: number;
  /** Parts in which a device works through its share of the batch, adding up their gradients. [parts] */
  readonly accumulation: number;
  readonly learningRate: LearningRateSpec;
  readonly weightDecay: WeightDecaySpec;
  /** Stretches all schedules beyond the end of training, which then stops early on them. [× the length of training] */
  readonly scheduleScale: number;
  readonly adamw: AdamWSpec;
  /** Scales the gradient down where its norm over all weights is larger than this; null leaves it as it is. Sources: CLIP_GRAD of config.py of SimMIM's repository, `--clip_grad` of the commands of data2vec's. [L2 norm] */
  readonly clipNorm: number | null;
  /** Steps that may be skipped because their loss or gradient is not finite: each leaves the state as it was and is counted; one more stops the run, with the images of its batch. Where it is not 0, the whole state is copied to the host and looked at in every step, which costs its size in memory and some time. [optimizer steps] */
  readonly skipNonFinite: number;
}
/** One I-JEPA pre-training experiment. Every default is the value of the released configuration in1k_vith14_ep300 where it has one. */
export interface SimmimSpec {
  /** Name of the experiment: its folder below `generated/` and below `runs/`. [text] */
  readonly name: string;
  /** A sentence for people: what the experiment is for. [text] */
  readonly description: string;
  /** Seed of everything random: initial weights, order of the images, crops and masks. [seed] */
  readonly seed: number;
  /** What is trained: `ijepa` predicts the representations of target blocks from a context, `mae` the pixels of masked patches from those that are seen, `simmim` the same by a linear layer behind an encoder that sees mask tokens, `data2vec` what a moving average of the encoder makes of masked patches where it sees the whole image. It decides which fields there are; those of others are refused. */
  readonly objective: "simmim";
  readonly image: ImageSpec;
  readonly encoder: SimmimEncoderSpec;
  /** Share of the patches that are masked, drawn anew for every image: by `mae` one by one, by `data2vec` in blocks. The number of visible patches is rounded down. Sources: `mae` paper, Table 1f; `simmim` configs/ of its repository (MASK_RATIO 0.6); `data2vec` paper, §4.1, whose code has 120 of 196 patches. [share of the patches] */
  readonly maskRatio: number;
  /** Side of the squares of patches that are masked as one; the paper's are of 32 pixels, 2 patches of 16 (MASK_PATCH_SIZE of its configs/). The grid of patches is a multiple of it. [patches] */
  readonly maskUnit: number;
  /** Where the images come from. */
  readonly data: ShapesDataSpec | FolderDataSpec | WebDatasetDataSpec | ParquetDataSpec;
  readonly augmentation: AugmentationSpec;
  readonly optimization: SimmimOptimizationSpec;
  readonly init: InitSpec;
  readonly evaluation: EvaluationSpec;
  readonly checkpoint: CheckpointSpec;
  readonly log: LogSpec;
  readonly hardware: HardwareSpec;
}
/** The vision transformer that is trained, and with `ijepa` its momentum copy, the target encoder. Give `size`, or `dim`, `depth` and `heads`. */
export interface SimmimEncoderSpec {
  /** Width of a token; `heads` divides it, and so does 4 (sine and cosine of two coordinates). [features] */
  readonly dim: number;
  /** Number of transformer blocks. [blocks] */
  readonly depth: number;
  /** Attention heads of every block. [heads] */
  readonly heads: number;
  /** Hidden width of the MLP of a block, as a multiple of `dim`; the product is rounded down. [× dim] */
  readonly mlpRatio: number;
  /** Side of a square patch; it divides `image.size`. [pixels] */
  readonly patch: number;
  /** Stochastic depth of the encoder that is trained: the rate at the last block, growing linearly from 0 at the first. The released ViT-B of SimMIM has 0.1 and of data2vec 0.25; the default is 0 for all. [probability] */
  readonly dropPath: number;
  /** Whether a class token, which is trained too, goes through the networks before the patches. Features are the mean over the patches either way. */
  readonly classToken: boolean;
}
/** How long, with which batch, and how the weights follow the gradient: AdamW, and with `ijepa` a momentum target encoder. */
export interface SimmimOptimizationSpec {
  /** Passes over the training images. [epochs] */
  readonly epochs: number;
  /** Images of one optimizer step, over all devices and all accumulated parts. [images] */
  readonly globalBatch: number;
  /** Parts in which a device works through its share of the batch, adding up their gradients. [parts] */
  readonly accumulation: number;
  readonly learningRate: LearningRateSpec;
  readonly weightDecay: WeightDecaySpec;
  /** Stretches all schedules beyond the end of training, which then stops early on them. [× the length of training] */
  readonly scheduleScale: number;
  readonly adamw: AdamWSpec;
  /** Scales the gradient down where its norm over all weights is larger than this; null leaves it as it is. Sources: CLIP_GRAD of config.py of SimMIM's repository, `--clip_grad` of the commands of data2vec's. [L2 norm] */
  readonly clipNorm: number | null;
  /** Steps that may be skipped because their loss or gradient is not finite: each leaves the state as it was and is counted; one more stops the run, with the images of its batch. Where it is not 0, the whole state is copied to the host and looked at in every step, which costs its size in memory and some time. [optimizer steps] */
  readonly skipNonFinite: number;
}
/** One I-JEPA pre-training experiment. Every default is the value of the released configuration in1k_vith14_ep300 where it has one. */
export interface Data2VecSpec {
  /** Name of the experiment: its folder below `generated/` and below `runs/`. [text] */
  readonly name: string;
  /** A sentence for people: what the experiment is for. [text] */
  readonly description: string;
  /** Seed of everything random: initial weights, order of the images, crops and masks. [seed] */
  readonly seed: number;
  /** What is trained: `ijepa` predicts the representations of target blocks from a context, `mae` the pixels of masked patches from those that are seen, `simmim` the same by a linear layer behind an encoder that sees mask tokens, `data2vec` what a moving average of the encoder makes of masked patches where it sees the whole image. It decides which fields there are; those of others are refused. */
  readonly objective: "data2vec";
  readonly image: ImageSpec;
  readonly encoder: Data2VecEncoderSpec;
  /** Sets of masks of every image in a step, each with a context and targets of its own. The target encoder, half of the work of a step with one set, sees the image once for all of them; the loss is the mean over them. The first set is what one set draws. With `masking.context.tokens: "auto"` contexts have the mean length of the shortest of all sets and images of a device's batch. [sets] */
  readonly maskSets: number;
  /** Share of the patches that are masked, drawn anew for every image: by `mae` one by one, by `data2vec` in blocks. The number of visible patches is rounded down. Sources: `mae` paper, Table 1f; `simmim` configs/ of its repository (MASK_RATIO 0.6); `data2vec` paper, §4.1, whose code has 120 of 196 patches. [share of the patches] */
  readonly maskRatio: number;
  readonly maskBlocks: MaskBlocksSpec;
  readonly targets: Data2VecTargetsSpec;
  /** Beta of the smooth L1 loss: the difference of prediction and target up to which it counts squared. The authors' command for ViT-B and ViT-L has `--l1_beta 2`. [deviations of a target] */
  readonly smoothL1Beta: number;
  /** Where the images come from. */
  readonly data: ShapesDataSpec | FolderDataSpec | WebDatasetDataSpec | ParquetDataSpec;
  readonly augmentation: AugmentationSpec;
  readonly optimization: OptimizationSpec;
  readonly init: InitSpec;
  readonly evaluation: EvaluationSpec;
  readonly checkpoint: CheckpointSpec;
  readonly log: LogSpec;
  readonly hardware: HardwareSpec;
}
/** The vision transformer that is trained, and with `ijepa` its momentum copy, the target encoder. Give `size`, or `dim`, `depth` and `heads`. */
export interface Data2VecEncoderSpec {
  /** Width of a token; `heads` divides it, and so does 4 (sine and cosine of two coordinates). [features] */
  readonly dim: number;
  /** Number of transformer blocks. [blocks] */
  readonly depth: number;
  /** Attention heads of every block. [heads] */
  readonly heads: number;
  /** Hidden width of the MLP of a block, as a multiple of `dim`; the product is rounded down. [× dim] */
  readonly mlpRatio: number;
  /** Side of a square patch; it divides `image.size`. [pixels] */
  readonly patch: number;
  /** Stochastic depth of the encoder that is trained: the rate at the last block, growing linearly from 0 at the first. The released ViT-B of SimMIM has 0.1 and of data2vec 0.25; the default is 0 for all. [probability] */
  readonly dropPath: number;
  /** Whether a class token, which is trained too, goes through the networks before the patches. Features are the mean over the patches either way. */
  readonly classToken: boolean;
}
/** The blocks in which patches are masked, one over another, until `maskRatio` of them are (as in BEiT). */
export interface MaskBlocksSpec {
  /** Least area of a block; the most is what is still to be masked. The released code has 16 of 196 patches (`--min_mask_patches_per_block 16`). [share of the patches] */
  readonly smallest: number;
  /** Smallest and largest aspect of a block, drawn evenly in its logarithm. [height ÷ width] */
  readonly aspect: readonly [number, number];
}
/** What has to be predicted. */
export interface Data2VecTargetsSpec {
  /** Last blocks of the target encoder whose outputs, each normalized token by token, are averaged and predicted. [blocks] */
  readonly blocks: number;
}
