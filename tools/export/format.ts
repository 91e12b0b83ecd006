/** What a format of exports is; each is one file in formats/. */
import type { Experiment, ObjectiveName } from "../../runtime/experiment";
import type { ExportPrecision } from "./onnx/weights";
import type { ExportSource, SourceTensor } from "./source";

export const formatNames = ["safetensors", "official", "hf", "timm", "onnx", "transformers.js"] as const;
export type FormatName = (typeof formatNames)[number];

export interface ExportRequest {
  readonly source: ExportSource;
  /** The empty folder that is written into. */
  readonly folder: string;
  /** Where it will lie, as a person would name it. */
  readonly out: string;
  readonly precision: ExportPrecision;
  /** Folder of images to measure the loss of a smaller precision on; null: the data of the run. */
  readonly images: string | null;
}

/** The lines that load an export, in the language of a fenced block. */
export interface Loading {
  readonly language: "python" | "javascript";
  readonly lines: readonly [string, string, string];
}

export interface Made {
  readonly loading: Loading;
  /** What a reader has to know of this export, a sentence each. */
  readonly notes: readonly string[];
}

export interface ExportFormat {
  /** What it is for, in one phrase: for --help and the page. */
  readonly purpose: string;
  /** The library that loads it, as model cards name it; null where it is none. */
  readonly library: string | null;
  /** What can be exported in it, whatever else is refused: encoders of these objectives. */
  readonly objectives: readonly ObjectiveName[];
  /** The smaller precisions that it can have beside fp32. */
  readonly precisions: readonly ExportPrecision[];
  make(request: ExportRequest): Promise<Made>;
}

/** Strings of a safetensors file that say where it comes from. */
export function provenance({ experiment, metadata, choice }: ExportSource): Readonly<Record<string, string>> {
  return {
    // What PyTorch's own loaders look for.
    format: "pt",
    ijepa_version: experiment.generatorVersion,
    experiment: experiment.name,
    spec_hash: metadata.specHash,
    encoder: choice,
    step: String(metadata.progress.step),
  };
}

export const toWrite = (tensors: readonly SourceTensor[]) =>
  tensors.map(({ name, shape, read }) => ({ name, dtype: "F32" as const, shape, values: read }));

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Height and width, or one number where they are equal, as the configurations of others have it. */
export function imageSize({ image }: Experiment): number | readonly [number, number] {
  return image.height === image.width ? image.height : [image.height, image.width];
}
