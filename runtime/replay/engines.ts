/** The engines that a replay can run on: those of the trainers, and the float64 interpreter as a second opinion. */
import type { DeviceName, Engine, EngineName } from "../engines/engine";

export type ReplayEngine = EngineName | "reference";

export interface ReplayEngineOptions {
  readonly engine: ReplayEngine;
  /** The reference has none. */
  readonly device: DeviceName;
  readonly threads: number;
  /** Is told what a user may want to know of how the engine runs. */
  readonly note?: (line: string) => void;
}

/** Loads the engine; throws UserError R10x where a package or a device is missing. */
export async function openReplayEngine({ engine, ...options }: ReplayEngineOptions): Promise<Engine> {
  if (engine === "reference") return (await import("../engines/reference/engine")).createReferenceEngine();
  if (engine === "tfjs") return (await import("../engines/tfjs/engine")).createEngine(options);
  if (engine === "xla") return (await import("../engines/xla/engine")).createEngine(options);
  return (await import("../engines/onnx/engine")).createEngine(options);
}
