/** Every engine by its name, each loaded only when it is asked for: one total table for replay, doctor and benchmark. */
import { restartWith } from "../restart";
import type { AnyEngineName, DeviceName, Engine, EngineModule, EngineOptions } from "./engine";

const engines: { readonly [E in AnyEngineName]: () => Promise<EngineModule> } = {
  onnx: () => import("./onnx/engine"),
  tfjs: () => import("./tfjs/engine"),
  xla: () => import("./xla/engine"),
  reference: async () => ({ createEngine: (await import("./reference/engine")).createReferenceEngine }),
};

// The keys of a total table are its names.
export const engineNames = Object.keys(engines) as readonly AnyEngineName[];

function moduleOf(name: AnyEngineName): Promise<EngineModule> {
  // The name comes out of JSON or of an argument where a process was started for one engine.
  if (!Object.hasOwn(engines, name)) throw new Error(`internal: there is no engine ${name}`);
  return engines[name]();
}

/** Throws UserError R10x where the package or the device is missing. */
export async function openEngine(name: AnyEngineName, options: EngineOptions): Promise<Engine> {
  return (await moduleOf(name)).createEngine(options);
}

/** As a trainer does before it begins: see EngineModule. */
export async function restartFor(name: AnyEngineName, device: DeviceName): Promise<void> {
  restartWith((await moduleOf(name)).startVariables?.({ device }) ?? {});
}
