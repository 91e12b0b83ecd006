/** What a run takes from outside: the engine, the images, the clock and the terminal. Tests bring their own. */
import type { BadImage, BadImageCounts } from "../data/bad-image";
import type { Engine, EngineOptions, StateStore } from "../engines/engine";
import type { EvaluationReport } from "../evaluate/evaluation-report";
import type { Features } from "../evaluate/features";
import type { EvaluatingRanks } from "../evaluate/shared-features";
import type { Experiment, TrainerProgram } from "../experiment";
import type { StepMemory } from "../step/memory";
import type { Place } from "../step/share";

/** The images of a run in the order of its micro-batches, device after device. */
export interface ImageStream {
  /** Threads that prepare images; 0 = none but the one that trains. */
  readonly workers: number;
  /** [B, 3, H, W] of the next device's micro-batch. */
  next(): Promise<Uint8Array>;
  /** Images that could not be used up to now, by reason. */
  badImages?(): BadImageCounts;
  /** The images of a step as this process was to have them, by the number of steps done before it. */
  names?(step: number): readonly string[];
  close(): Promise<void>;
}

export interface ImageStreamOptions {
  readonly experiment: Experiment;
  /** Folder that relative data paths start from. */
  readonly dataRoot: string;
  /** Threads that prepare images; 0 = as many as suit. */
  readonly workers: number;
  /** Told of what a person should know but that does not stop the run. */
  readonly note: (line: string) => void;
  /** Told once of every image that cannot be used. */
  readonly badImage: (image: BadImage) => void;
  /** Optimizer steps done before. */
  readonly fromStep: number;
  /** Optimizer steps at which the run stops. */
  readonly untilStep: number;
  /** The process that they are for. */
  readonly place: Place;
  /** Devices that it holds. */
  readonly devices: number;
  /** Cores that it has. */
  readonly cores: number;
}

export interface EvaluationOptions {
  readonly program: TrainerProgram;
  readonly engine: Engine;
  /** Holds the encoder that is trained. */
  readonly store: StateStore;
  readonly dataRoot: string;
  /** Told once of every image that cannot be used. */
  readonly badImage: (image: BadImage) => void;
  /** True where the person wants to stop: an evaluation under way gives null. */
  readonly isStopping: () => boolean;
  /** Hears the features of the training images by the judged encoder; null where nobody asks for them. */
  readonly seen: ((features: Features) => void) | null;
  /** Those that share the images out; each opens the evaluation and calls it at the same places. */
  readonly ranks: EvaluatingRanks;
}

export interface RunEvaluation {
  /** The judged encoder as it is now; null where it was broken off, and on every rank but the first. */
  now(): Promise<EvaluationReport | null>;
  /** The same, with what it is compared with: random initialization and raw pixels. `note` hears of each. */
  final(note: (line: string) => void): Promise<EvaluationReport | null>;
}

export interface TrainerEnvironment {
  createEngine(options: EngineOptions): Promise<Engine>;
  openImages(options: ImageStreamOptions): Promise<ImageStream>;
  /** Null where the experiment's data has no labels. */
  openEvaluation(options: EvaluationOptions): Promise<RunEvaluation | null>;
  /** Memory that the process may use. */
  readonly machineBytes: number;
  /** What the compiler estimated the step to take; null where its manifest is not beside the trainer. */
  readonly stepMemory: StepMemory | null;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
  /** The script and its flags as they were given, for commands that are printed. */
  readonly script: string;
  readonly args: readonly string[];
  /** Of the process; the tokens of servers that show runs are among them. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}
