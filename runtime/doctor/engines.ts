/** Every engine by its name, each loaded only when it is asked for. */
import type { Engine, EngineOptions } from "../engines/engine";
import type { MeasuredEngine } from "./lines";

type Open = (options: EngineOptions) => Promise<Engine>;

const engines: { readonly [E in MeasuredEngine]: Open } = {
  onnx: async (options) => (await import("../engines/onnx/engine")).createEngine(options),
  tfjs: async (options) => (await import("../engines/tfjs/engine")).createEngine(options),
  reference: async () => (await import("../engines/reference/engine")).createReferenceEngine(),
};

/** Throws UserError R10x where the package or the device is missing. */
export function openEngine(name: MeasuredEngine, options: EngineOptions): Promise<Engine> {
  return engines[name](options);
}
