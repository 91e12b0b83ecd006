/** Every engine by its name, each loaded only when it is asked for: one total table for replay, doctor and benchmark. */
import type { AnyEngineName, CreateEngine, Engine, EngineOptions } from "./engine";

const engines: { readonly [E in AnyEngineName]: CreateEngine } = {
  onnx: async (options) => (await import("./onnx/engine")).createEngine(options),
  tfjs: async (options) => (await import("./tfjs/engine")).createEngine(options),
  reference: async () => (await import("./reference/engine")).createReferenceEngine(),
};

// The keys of a total table are its names.
export const engineNames = Object.keys(engines) as readonly AnyEngineName[];

/** Throws UserError R10x where the package or the device is missing. */
export async function openEngine(name: AnyEngineName, options: EngineOptions): Promise<Engine> {
  // The name comes out of JSON or of an argument where a process was started for one engine.
  if (!Object.hasOwn(engines, name)) throw new Error(`internal: there is no engine ${name}`);
  return engines[name](options);
}
