/** Every engine by its name, each loaded only when it is asked for. */
import type { DeviceName, Engine, EngineModule, EngineOptions } from "../engines/engine";
import { restartWith } from "../restart";
import type { MeasuredEngine } from "./lines";

const engines: { readonly [E in MeasuredEngine]: () => Promise<EngineModule> } = {
  onnx: () => import("../engines/onnx/engine"),
  tfjs: () => import("../engines/tfjs/engine"),
  xla: () => import("../engines/xla/engine"),
  reference: async () => {
    const { createReferenceEngine } = await import("../engines/reference/engine");
    return { createEngine: createReferenceEngine };
  },
};

/** Throws UserError R10x where the package or the device is missing. */
export async function openEngine(name: MeasuredEngine, options: EngineOptions): Promise<Engine> {
  return (await engines[name]()).createEngine(options);
}

/** As a trainer does before it begins: see EngineModule. */
export async function restartFor(name: MeasuredEngine, device: DeviceName): Promise<void> {
  restartWith((await engines[name]()).startVariables?.({ device }) ?? {});
}
