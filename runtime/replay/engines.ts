/** The engines that a replay can run on: that of every trainer, and the float64 interpreter as a second opinion. */
import type { Engine } from "../engines/engine";
import { createEngine } from "../engines/onnx/engine";
import { createReferenceEngine } from "../engines/reference/engine";

export type ReplayEngine = "onnx" | "reference";

/** Loads the engine; throws UserError R101 or R102 where a package is missing. */
export function openReplayEngine(name: ReplayEngine, threads: number): Promise<Engine> {
  return name === "reference" ? createReferenceEngine() : createEngine({ threads });
}
