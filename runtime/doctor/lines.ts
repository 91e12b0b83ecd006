/** What `ijepa doctor` and the programs that it starts tell each other. */
import type { AnyEngineName, DeviceName, Precision } from "../engines/engine";

/** The only argument of the program, as JSON. */
export interface TrialRequest {
  readonly engine: AnyEngineName;
  readonly device: DeviceName;
  readonly precision: Precision;
  readonly threads: number;
  /** Packages whose versions are of interest. */
  readonly packages: readonly string[];
  readonly warmup: number;
  readonly steps: number;
  readonly seconds: number;
}

/** What a line may say. A line of the program's begins with `trialMark`; others are those of libraries. */
export type TrialLine =
  | { readonly packages: readonly FoundPackage[] }
  | { readonly description: string }
  | { readonly measured: Measured }
  | { readonly problem: { readonly code: string | null; readonly message: string } };

export interface FoundPackage {
  readonly name: string;
  /** Null where it is not installed. */
  readonly version: string | null;
}

export interface Measured {
  readonly imagesPerS: number;
  readonly stepMs: number;
  /** Resident memory of the process at its highest. What lies on a GPU is not in it. */
  readonly peakMiB: number;
  readonly losses: readonly number[];
}

export const trialMark = "ijepa-doctor ";
