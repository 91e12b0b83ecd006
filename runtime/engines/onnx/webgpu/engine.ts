/** The onnx engine on a GPU: the same recorded graphs, with state that lives in its memory. */
import type { Engine, EngineOptions } from "../../engine";
import { exclusively, openDevice } from "./device";
import { loadFunction, type WebgpuFunction } from "./loaded";
import { WebgpuStore } from "./store";

export interface WebgpuEngine extends Engine {
  /** Bytes that have gone over the bus since the engine was made. */
  readonly traffic: { readonly toDevice: number; readonly fromDevice: number };
}

/** Throws UserError R104 where there is no GPU that it can use. */
export async function createWebgpuEngine({ note }: EngineOptions): Promise<WebgpuEngine> {
  const device = await exclusively(openDevice);
  const stores: WebgpuStore[] = [];
  const loaded = new Set<WebgpuFunction>();
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
      const { placed, run, release } = await loadFunction(device, fn, store);
      note?.(placed);
      const one: WebgpuFunction = {
        placed,
        run,
        release: async () => {
          if (loaded.delete(one)) await release();
        },
      };
      loaded.add(one);
      return one;
    },
    release: async () => {
      for (const one of loaded) await one.release();
      for (const store of stores) await store.release();
      await exclusively(async () => device.release());
    },
  };
}
