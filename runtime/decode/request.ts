/** What `ijepa decode` and the program that it compiles tell each other. */
import type { GeneratedFunction, TrainerProgram } from "../experiment";

/** How the program is started: one JSON text as the only argument. */
export interface DecodeRequest {
  /** The checkpoint whose target encoder is read. */
  readonly checkpoint: string;
  /** Folder that relative paths of the data start from. */
  readonly dataRoot: string;
  readonly threads: number;
  /** The safetensors file to write. */
  readonly out: string;
  /** Strings of its metadata beside those of decoder-file.ts. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What its main.ts hands over. */
export interface DecoderProgram
  extends Pick<TrainerProgram, "experiment" | "objective" | "parameters" | "state" | "lengths"> {
  /** The weights of the target encoder. */
  readonly frozen: TrainerProgram["parameters"];
  readonly step: GeneratedFunction;
}
