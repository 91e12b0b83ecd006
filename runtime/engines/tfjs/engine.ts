/** The engine that runs generated functions op by op on TensorFlow.js. */
import os from "node:os";
import type { Engine, EngineOptions, LoadedFunction } from "../engine";
import { openDevice } from "./devices";
import { Kernels } from "./kernels";
import { loadFunction } from "./load-function";
import { TfjsStore } from "./store";

/** What lies in the memory of the backend. */
export interface TfjsMemory {
  readonly tensors: number;
  /** Pieces of memory; several tensors may be views of one. */
  readonly buffers: number;
  readonly bytes: number;
  /** The most since `resetPeak` or the beginning. */
  readonly peakBytes: number;
}

export interface TfjsEngine extends Engine {
  memory(): TfjsMemory;
  resetPeak(): void;
}

/**
 * One core stays free of wasm: its threads wait for each other at every product, a few thousand times in a step, so where
 * the threads that prepare images take a core away, two are seven times slower than one (docs/engines.md).
 */
export async function createEngine({
  threads,
  device = "cpu",
  precision = "fp32",
}: EngineOptions): Promise<TfjsEngine> {
  // The rules of a spec refuse it (compiler/spec/hardware-rules.ts): tfjs has no float16.
  if (precision !== "fp32") throw new Error(`internal: tfjs does not compute in ${precision}`);
  const wasm = Math.max(1, Math.min(threads, os.availableParallelism() - 1));
  const { core, backend, description } = await openDevice(device, { native: threads, wasm });
  const kernels = new Kernels(core, backend);
  const stores = new Set<TfjsStore>();
  return {
    name: "tfjs",
    description: `tfjs-core ${core.version_core}, ${description}`,
    createStore: (specs) => {
      const store = new TfjsStore(specs, kernels);
      stores.add(store);
      return store;
    },
    load: async (fn, store): Promise<LoadedFunction> => {
      if (!(store instanceof TfjsStore)) throw new Error("internal: the store belongs to another engine");
      return loadFunction(kernels, fn, store);
    },
    release: async () => {
      for (const store of stores) await store.exclusively(() => store.release());
      kernels.release();
    },
    memory: () => {
      const { numTensors, numDataBuffers, numBytes } = core.engine().state;
      return { tensors: numTensors, buffers: numDataBuffers, bytes: numBytes, peakBytes: kernels.peakBytes };
    },
    resetPeak: () => kernels.resetPeak(),
  };
}
