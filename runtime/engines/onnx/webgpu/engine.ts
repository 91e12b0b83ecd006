/** The onnx engine on a GPU: the same recorded graphs, with state that lives in its memory. */
import type { Engine, EngineOptions } from "../../engine";
import { LoadedFunctions } from "../../loaded-functions";
import { type DeviceOptions, exclusively, openDevice } from "./device";
import { loadFunction } from "./load-function";
import { WebgpuStore } from "./store";

export interface WebgpuEngine extends Engine {
  /** Bytes that have gone over the bus since the engine was made. */
  readonly traffic: { readonly toDevice: number; readonly fromDevice: number };
}

export type WebgpuEngineOptions = EngineOptions & DeviceOptions;

/** Throws UserError R104 where there is no GPU that it can use. */
export async function createWebgpuEngine({ note, ...options }: WebgpuEngineOptions): Promise<WebgpuEngine> {
  const device = await exclusively(() => openDevice(options));
  const stores: WebgpuStore[] = [];
  const loaded = new LoadedFunctions();
  let isReleased = false;
  return {
    name: "onnx",
    description: device.description,
    traffic: device.traffic,
    createStore: (specs) => {
      const store = new WebgpuStore(specs, device);
      stores.push(store);
      return store;
    },
    load: async (fn, store) => {
      if (!(store instanceof WebgpuStore)) throw new Error("internal: the store belongs to another engine");
      const one = await loadFunction(device, fn, store);
      note?.(one.placed);
      return loaded.add(one);
    },
    release: async () => {
      await loaded.release();
      for (const store of stores.splice(0)) await store.release();
      if (!isReleased) await exclusively(async () => device.release());
      isReleased = true;
    },
  };
}
