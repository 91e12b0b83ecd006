/** What a GPU check found, as it writes it after every part and docs/gpu.json keeps it. */
import type { SizeFacts } from "./manifest";

/**
 * ok: it ran. failed: it says what is wrong. late: its time was over. absent: something that it needs is not on the
 * machine. not begun: no time was left for it.
 */
export type PartState = "ok" | "failed" | "late" | "absent" | "not begun";

/** What a step took: our driver and those of bench/peers write the same fields. */
export interface StepResult {
  readonly kind: "step";
  readonly imagesPerS: number;
  readonly stepMs: { readonly median: number; readonly min: number; readonly max: number };
  /** Compiling and loading, before the first step. */
  readonly compileSeconds: number | null;
  readonly devicePeakMiB: number | null;
  readonly firstLoss: number | null;
  readonly lastLoss: number | null;
  /** By the operations of `ijepa inspect`, for the peers too; null where the card is not in the table. */
  readonly shareOfPeak: number | null;
  readonly teraflops: number;
  readonly with: string;
}

export interface TraceResult {
  readonly kind: "trace";
  readonly engine: string;
  readonly holds: boolean;
  readonly tensors: number;
  readonly holding: number;
  /** The one that is the furthest off, as a share of its tolerance (of float32). */
  readonly worst: { readonly tensor: string; readonly share: number | null };
}

export interface RunResult {
  readonly kind: "run";
  readonly engine: string;
  readonly steps: number;
  readonly firstLoss: number;
  /** Mean of the last quarter. */
  readonly lastLoss: number;
  readonly medianStepMs: number;
}

export interface DoctorResult {
  readonly kind: "doctor";
  readonly findings: readonly {
    readonly engine: string;
    readonly device: string;
    readonly state: string;
    readonly description: string | null;
    readonly lossError: number | null;
    readonly problem: string | null;
  }[];
}

export type PartResult = StepResult | TraceResult | RunResult | DoctorResult;

/** The card while a part ran, by nvidia-smi twice a second. */
export interface CardUse {
  readonly memoryMiB: number;
  readonly busyPercent: number;
  readonly watts: number;
  readonly clockMHz: number;
}

export interface PartRecord {
  readonly name: string;
  readonly state: PartState;
  readonly seconds: number;
  readonly limitSeconds: number;
  readonly result: PartResult | null;
  /** What went wrong, in its own last words; null where nothing did. */
  readonly problem: string | null;
  readonly card: CardUse | null;
}

export interface GpuRecord {
  readonly date: string;
  readonly version: string;
  /** Of the run so far. */
  readonly seconds: number;
  readonly device: string;
  readonly small: boolean;
  readonly machine: Machine;
  readonly sizes: readonly SizeFacts[];
  /** What the compiler that made the package refused. */
  readonly refused: readonly { readonly what: string; readonly why: string }[];
  readonly parts: readonly PartRecord[];
}

export interface Machine {
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  /** Null: no NVIDIA card, or no nvidia-smi. */
  readonly card: {
    readonly name: string;
    readonly memoryMiB: number;
    readonly driver: string;
    readonly bf16Teraflops: number | null;
  } | null;
  /** Versions by package; null where it is not there. */
  readonly python: Readonly<Record<string, string | null>>;
  /** The PJRT plugin that was named to the engine, if any. */
  readonly plugin: string | null;
}

/** Whether a document is such a record, by the fields that a page is made of; parts are written by the same version of main.ts. */
export function isGpuRecord(found: unknown): found is GpuRecord {
  if (typeof found !== "object" || found === null) return false;
  const has = (name: string, type: string): boolean => typeof Reflect.get(found, name) === type;
  return (
    has("date", "string") &&
    has("version", "string") &&
    has("seconds", "number") &&
    has("device", "string") &&
    has("machine", "object") &&
    "parts" in found &&
    Array.isArray(found.parts) &&
    "refused" in found &&
    Array.isArray(found.refused)
  );
}
