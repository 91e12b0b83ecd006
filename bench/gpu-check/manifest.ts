/** What a package of the GPU check holds (payload.ts makes it, main.ts reads it): facts that take a compiler to know. */

export type CheckPrecision = "fp32" | "bf16";

export interface SizeFacts {
  readonly name: string;
  readonly title: string;
  /** Whether a processor does a step of it in a moment: the sizes of --small. */
  readonly isSmall: boolean;
  readonly batch: number;
  /** Of the most probable program, which is the one that is timed. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Of a step of that program, as `ijepa inspect` counts them. */
  readonly flopsPerStep: number;
  readonly parameters: number;
  readonly memoryEstimateBytes: number;
  /** The same network, as flags of the scripts in bench/peers. */
  readonly peer: readonly string[];
}

/** A program that was made for a precision. Paths are seen from the manifest. */
export interface Driver {
  readonly size: string;
  readonly precision: CheckPrecision;
  readonly file: string;
}

export interface TraceProgram {
  readonly trace: string;
  readonly precision: CheckPrecision;
  readonly program: string;
  readonly file: string;
}

export interface QuickstartTrainer {
  readonly engine: string;
  readonly device: string;
  readonly precision: CheckPrecision;
  readonly file: string;
}

export interface Manifest {
  readonly version: string;
  /** In which this compiler has steps for the engine xla. */
  readonly precisions: readonly CheckPrecision[];
  readonly sizes: readonly SizeFacts[];
  readonly drivers: readonly Driver[];
  readonly traces: readonly TraceProgram[];
  readonly trainers: readonly QuickstartTrainer[];
  /** What the compiler that made the package refused, and why. */
  readonly refused: readonly { readonly what: string; readonly why: string }[];
}
